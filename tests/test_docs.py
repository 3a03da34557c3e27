"""What the pages say is what there is."""

import re
import runpy
from pathlib import Path

import quorate
from quorate.core.configuration import known_keys

ROOT = Path(__file__).parent.parent


def test_the_page_of_settings_is_what_the_settings_say():
    script = runpy.run_path(str(ROOT / "docs" / "settings_page.py"))
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == script["page"](), "run: python docs/settings_page.py"
    for key in known_keys():
        assert f"| `{key}` |" in page


def test_the_vote_in_the_python_page_runs_as_shown():
    page = (ROOT / "docs" / "python.md").read_text()
    example = page[page.index("signal = quorate.decide(") : page.index("bundle = ")]
    names = {"quorate": quorate}
    exec(example, names)
    assert names["signal"].line() == "strong | xgb:BUY 78%, lgbm:BUY 81%, patchtst:BUY 74%, nhits:ABSTAIN | vol:2.00%"


def test_the_stack_in_its_page_runs_as_shown(capsys):
    page = (ROOT / "docs" / "stack.md").read_text()
    code, shown = re.search(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", page, re.DOTALL).groups()
    exec(code, {})
    assert capsys.readouterr().out == re.sub("^    ", "", shown, flags=re.MULTILINE)


def test_links_of_the_pages_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_verb_of_the_makefile_is_in_contributing():
    verbs = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    text = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "README.md").read_text()
    assert [verb for verb in verbs if f"make {verb}" not in text and verb != "clean"] == []


def test_the_look_ahead_page_runs_as_shown(capsys):
    page = (ROOT / "docs" / "lookahead.md").read_text()
    names = {}
    exec(re.search(r"```python\n(.*?)```", page, flags=re.DOTALL)[1], names)
    assert names["verdict"].names == ("scaled",)
    assert capsys.readouterr().out.startswith("LOOK-AHEAD\n  scaled: ")
