"""Model cards: complete, the same every time, safe with hostile names, and no part of the bundle's identity."""

import json
import re
import shutil
import subprocess
import tomllib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import quorate
from quorate.core.clock import HOUR_MS
from quorate.core.configuration import load_settings
from quorate.core.errors import BundleError
from quorate.ensemble.bundle import bundle_files
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.evaluation.cards.card_sections import make_card
from quorate.evaluation.cards.html_page import card_html
from quorate.evaluation.cards.markdown import card_markdown
from quorate.evaluation.cards.reproduce import settings_toml, training_command
from quorate.evaluation.cards.write_card import read_card, write_card
from quorate.workflows.bundles import sign_bundle, verify_bundles
from quorate.workflows.runs.member_figures import floors_of, measure_of

TITLES = ["What it is", "Data", "Features", "Metrics", "Calibration", "Importance", "Limits", "How to reproduce it"]


@pytest.fixture
def published(world, tmp_path):
    """A copy of the bundle in a folder of its own."""
    folder = tmp_path / "bundles"
    shutil.copytree(world.bundle, folder / world.bundle.name)
    return folder / world.bundle.name


class Page(HTMLParser):
    """Tags that are open, those that were, and the texts."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def parsed(html):
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def test_a_card_says_what_the_bundle_holds(world):
    card, manifest = read_card(world.bundle), bundle_files.read_manifest(world.bundle)
    assert [section.title for section in card.sections] == TITLES
    text = card_markdown(card)
    assert text.startswith(f"# Bundle {manifest.id}\n")
    assert "**SYNTHETIC MARKET" in text
    figures = manifest.metrics["nhits"]["test"]
    low, high = figures["log_loss_ci"]
    row = next(line for line in text.splitlines() if line.startswith("| nhits | ") and "%" in line)
    assert f"{figures['log_loss']:.4f} ({low:.4f} to {high:.4f})" in row
    assert f"{figures['prior_log_loss']:.4f}" in row
    assert "| volume | volume_change, volume_ma_ratio |" in text
    assert "BUY above 0.50%" in text
    assert f"{manifest.rows['train']:,}, {manifest.rows['validation']:,}, {manifest.rows['test']:,}" in text
    assert "generated candles: its figures say nothing about any market" in text
    for package, version in manifest.versions.items():
        assert f"| {package} | {version} |" in text


def test_reliability_is_that_of_the_test_rows(world):
    (section,) = (one for one in read_card(world.bundle).sections if one.title == "Calibration")
    figures = bundle_files.read_manifest(world.bundle).metrics
    assert [diagram.title for diagram in section.diagrams] == ["xgboost", "lightgbm", "nhits"]
    for diagram in section.diagrams:
        own = figures[diagram.title]["test"]
        rows = np.array([point.rows for point in diagram.points])
        assert rows.sum() == own["n"]
        gaps = [abs(point.score - point.correct) for point in diagram.points]
        assert np.average(gaps, weights=rows) == pytest.approx(own["ece"], abs=1e-9)
        assert np.average([point.correct for point in diagram.points], weights=rows) == pytest.approx(own["accuracy"])
        assert all(point.low <= point.correct <= point.high for point in diagram.points)


def test_importance_is_the_share_of_the_gain(world):
    (section,) = (one for one in read_card(world.bundle).sections if one.title == "Importance")
    groups, columns = section.tables
    for place in (1, 2):
        shares = [float(row[place].text.removesuffix(" %")) for row in groups.rows]
        assert sum(shares) == pytest.approx(100, abs=0.3)
    assert len(columns.rows) == 10
    assert groups.columns == ("group", "xgboost", "lightgbm")


def test_the_page_needs_nothing_and_runs_nothing(world):
    html = card_html(read_card(world.bundle))
    page = parsed(html)
    assert "script" not in page.tags
    assert page.tags.count("svg") == 3
    assert not re.search(r'(src|href)="', html)
    assert len(html) < 100_000
    words = " ".join(page.words)
    for title in TITLES:
        assert title in words


def test_a_card_is_no_part_of_the_identity_or_the_signature(world, published, tmp_path):
    key, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    key.chmod(0o600)
    store = published.parent
    sign_bundle(store, published.name, key)
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    files = write_card(published)
    assert [file.name for file in files] == ["card.md", "card.html"]
    assert {name: (published / name).read_bytes() for name in before} == before
    assert verify_bundles(store, key=public).ok
    assert quorate.load_bundle(published).id == world.bundle.name
    # Whoever alters the card alters no bundle, and it is made anew from the bundle.
    files[0].write_text("the best bundle of all")
    assert verify_bundles(store, key=public).ok
    assert write_card(published) == files
    assert files[0].read_text() == card_markdown(read_card(world.bundle))
    assert BundleStore(store).publish(*_content(published))[0] == published  # the same content is there already
    assert files[1].exists()


def _content(path):
    manifest, files = bundle_files.read(path)
    return replace(manifest, files={}, id=""), files


def test_an_altered_bundle_has_no_card(published):
    native = published / "xgboost.ubj"
    native.write_bytes(native.read_bytes()[:-1] + b"]")
    with pytest.raises(BundleError, match=r"xgboost\.ubj altered"):
        write_card(published)
    assert not (published / "card.md").exists()


def test_the_settings_of_a_card_train_the_same_bundle(world, tmp_path):
    """With the settings of the policy, which no bundle records."""
    manifest = bundle_files.read_manifest(world.bundle)
    text = settings_toml(manifest)
    assert tomllib.loads(text)["vote"]["weights"]["nhits"] == manifest.policy.weight("nhits")
    file = tmp_path / "quorate.toml"
    file.write_text(text + '[policy]\nname = "classic"\nrefit = "none"\n[evaluation]\nresamples = 60\n')
    settings = load_settings(file, environment={})
    command = training_command(manifest).split()
    assert command[:2] == ["quorate", "train"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options["--models"] == "xgboost,lightgbm,nhits"
    assert options["--symbols"] == ",".join(world.panel)
    again = train_ensemble(
        world.panel,
        options["--timeframe"],
        TrainingSpec(
            models=options["--models"].split(","),
            settings=settings,
            end=manifest.training_end + HOUR_MS,
            measure=measure_of("vote", settings),
            floors=floors_of(settings),
        ),
        tmp_path / "again",
    )
    assert again.manifest.files == manifest.files
    assert again.manifest.id == manifest.id


def test_a_stack_has_a_card_of_returns(world):
    text = card_markdown(read_card(world.stack))
    assert "predicting zero, RMSE, %" in text
    assert "| stack | " in text
    assert "Each member predicts the return over the next 4 bars" in text
    assert "[stack.models.nhits]" in text
    parsed(card_html(read_card(world.stack)))


HOSTILE = "<script>alert(1)</script>|`*_x_*`\n# A/USDT"


def test_hostile_names_are_text(world):
    manifest = bundle_files.read_manifest(world.bundle)
    worst = replace(
        manifest,
        symbols=(HOSTILE,),
        versions={HOSTILE: "```\n[x](javascript:alert(1))"},
        settings={**manifest.settings, "models": {HOSTILE: {"```": "```\n## x"}}},
        members=(*manifest.members[:2], replace(manifest.members[2], failure=HOSTILE)),
    )
    card = make_card(worst, {})
    page = parsed(card_html(card))
    assert "script" not in page.tags
    assert sum("<script>alert(1)</script>" in word for word in page.words) >= 3
    text = card_markdown(card)
    outside = re.sub(r"^(`{3,})\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<!\\)<", outside)
    assert not re.search(r"^#+ [Ax]", outside, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)\]\(", outside)
    for line in outside.splitlines():
        if line.startswith("| \\<script"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 3


def test_what_a_bundle_lacks_is_left_out(world):
    manifest = bundle_files.read_manifest(world.bundle)
    bare = replace(manifest, metrics={}, versions={}, settings={}, class_prior=())
    assert [section.title for section in make_card(bare, {}).sections] == [
        title for title in TITLES if title not in ("Metrics", "Calibration", "Importance")
    ]
    parsed(card_html(make_card(bare, {})))


def test_limits_follow_from_the_figures(world):
    manifest = bundle_files.read_manifest(world.bundle)

    def limits(**changes):
        metrics = json.loads(json.dumps(dict(manifest.metrics)))
        for name in ("xgboost", "lightgbm", "nhits"):
            test = metrics[name]["test"]
            test["skill_vs_prior_ci"] = changes.get("skill", [0.01, 0.02])
            test["skill"] = {**test["skill"], "direction_ci": changes.get("direction", [0.01, 0.02])}
        made = replace(manifest, metrics=metrics, synthetic=changes.get("synthetic", False))
        (section,) = (one for one in make_card(made, {}).sections if one.title == "Limits")
        return " ".join(section.text)

    good = limits()
    assert "no skill in telling the direction" not in good
    assert "does not show" not in good
    assert "generated candles" not in good
    assert "no skill in telling the direction of xgboost, lightgbm, nhits" in limits(direction=[-0.01, 0.02])
    assert "does not show that xgboost, lightgbm, nhits beat the baseline" in limits(skill=[-0.01, 0.02])
    assert "generated candles" in limits(synthetic=True)
