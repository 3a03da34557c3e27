"""What the pages say is what there is."""

import re
from collections.abc import Mapping
from pathlib import Path

import quorate
from quorate.core.configuration import known_keys
from quorate.core.settings import Settings

ROOT = Path(__file__).parent.parent


def test_every_setting_has_its_row_with_its_default_and_no_row_lacks_its_setting():
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `([\w.]+)` \| `(.*?)` \|", page, flags=re.MULTILINE))
    assert sorted(rows) == sorted(known_keys())
    for key, shown in rows.items():
        value = Settings()
        for part in key.split("."):
            value = getattr(value, part)
        many = f"{len(value)} names" if hasattr(value, "__len__") else ""
        assert shown in (str(value), str(dict(value)) if isinstance(value, Mapping) else "", many), key


def test_the_vote_in_the_python_page_runs_as_shown():
    page = (ROOT / "docs" / "python.md").read_text()
    example = page[page.index("signal = quorate.decide(") : page.index("bundle = ")]
    names = {"quorate": quorate}
    exec(example, names)
    assert names["signal"].line() == "strong | xgb:BUY 78%, lgbm:BUY 81%, patchtst:BUY 74%, nhits:ABSTAIN | vol:2.00%"


def test_links_of_the_pages_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_verb_of_the_makefile_is_in_contributing():
    verbs = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    text = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "README.md").read_text()
    assert [verb for verb in verbs if f"make {verb}" not in text and verb != "clean"] == []
