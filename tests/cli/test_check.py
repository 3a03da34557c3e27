"""`quorate check features`, and the verbs with a user's own feature columns."""

import json
from pathlib import Path

import pytest

from quorate.cli.app import main
from quorate.core.user_modules import source_digest
from quorate.market.synthetic import SyntheticMarket

HONEST = (
    "import quorate\n\n\n@quorate.feature(warmup=1)\ndef gap(bars):\n    return bars.open[1:] / bars.close[:-1] - 1\n"
)
LEAK = "\n\n@quorate.feature(warmup=0)\ndef centred(bars):\n    return bars.close / bars.close.mean() - 1\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write a project's settings and features, and make it the working folder."""

    def write(source: str, features: str = "core14+gap"):
        (tmp_path / "my_features.py").write_text(source)
        (tmp_path / "quorate.toml").write_text(
            f'[features]\nmodules = ["my_features.py"]\n\n[train]\nfeatures = "{features}"\nthreads = 1\n'
            "\n[models.xgboost]\ntrees = 5\n\n[models.lightgbm]\ntrees = 5\n"
        )
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


def test_columns_that_pass_are_listed(project, capsys):
    project(HONEST)
    assert main(["check", "features"]) == 0
    shown = capsys.readouterr().out
    assert "1 column of your own, 0 refused" in shown
    assert "gap" in shown
    assert "my_features.py" in shown


def test_a_refused_column_ends_with_1_and_has_both_values(project, capsys):
    project(HONEST + LEAK)
    assert main(["check", "features"]) == 1
    shown = capsys.readouterr().out
    assert "2 columns of your own, 1 refused" in shown
    assert "truncation: at the bar of" in shown
    assert main(["check", "features", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    gap, centred = document["columns"]
    assert (gap["name"], gap["ok"], gap["failure"]) == ("gap", True, None)
    assert (centred["name"], centred["warmup"], centred["module"]) == ("centred", 0, "my_features.py")
    failure = centred["failure"]
    assert failure["check"] == "truncation"
    assert failure["found"] != failure["expected"]
    assert "'centred' of my_features.py" in failure["message"]


def test_a_file_that_fails_is_an_error(project, capsys):
    project("import no_such_library\n")
    assert main(["check", "features", "--json"]) == 1
    said = capsys.readouterr()
    assert "ModuleNotFoundError: No module named 'no_such_library', in line 1" in said.err
    assert json.loads(said.out)["error"]["type"] == "SettingsError"


def test_without_columns_the_remedy_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "features"]) == 0
    assert "[features] modules = [...]" in capsys.readouterr().err
    assert main(["check", "features", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "columns": []}


def test_every_verb_reads_the_columns_of_the_settings(project, monkeypatch, capsys):
    folder = project(HONEST)
    market = SyntheticMarket(seed=3, symbols=2, bars=900, edge=0.3)
    market.write(folder / "data")
    seam = "2024-01-30"
    chosen = ["--data", "data", "--symbols", market.names[0], "--timeframe", "1h"]

    def run(*arguments):
        code = main([*arguments, "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    monkeypatch.setenv("QUORATE_BUNDLE__EVIDENCE", "50")  # or so short a span makes no champion
    code, _, _ = run("train", *chosen, "--models", "xgboost,lightgbm", "--out", "bundles", "--to", seam)
    assert code == 0
    code, shown, _ = run("bundle", "show", "--bundles", "bundles")
    assert code == 0
    assert shown["features"]["own"][0]["name"] == "gap"
    bundle = ["--bundle", "bundles", "--data", "data", "--symbols", market.names[0]]
    verbs = {
        "signal": ["signal", market.names[0], *bundle[:4], "--timeframe", "1h"],
        "backtest": ["backtest", *bundle, "--from", seam],
        "evaluate": ["evaluate", *bundle, "--from", seam],
        "verify": ["bundle", "verify", "--bundles", "bundles"],
    }
    for arguments in verbs.values():
        assert run(*arguments)[0] == 0, arguments
    assert run("evaluate", *chosen, "--models", "xgboost", "--folds", "2")[1]["features"] == "core14+gap"
    trials = [json.loads(line) for line in Path("quorate-trials.jsonl").read_text().splitlines()]
    digest = source_digest(HONEST.encode())
    assert trials[-1]["configuration"]["own_columns"] == {"gap": digest}
    # The same project without the columns: every verb that computes them names what is missing.
    (folder / "quorate.toml").write_text("[train]\nthreads = 1\n")
    for verb, arguments in verbs.items():
        code, _, error = run(*arguments)
        assert code == 1, verb
        assert "no column gap; expected the columns that the bundle was trained on: gap of my_features.py" in error, (
            verb
        )
    assert run("bundle", "list", "--bundles", "bundles")[0] == 0
    assert run("bundle", "show", "--bundles", "bundles")[0] == 0
