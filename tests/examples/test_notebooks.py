"""The notebooks run as plain scripts, and show what their text says."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "examples" / "notebooks"
SHOWN = {
    "first_hour": ["SYNA/USDT:USDT 1h 1000 bars, synthetic", "class prior", "buy and hold", r"report\.html \d+\.\d MB"],
    "own_features_and_model": [
        r"close_in_range_24 +my_features\.py +23 +ok",
        r"LOOK-AHEAD\n  scaled",
        "least_squares,? ",
    ],
    "honest_evaluation": [r"skill over the prior", "no edge: 0 trades: the policy is closed", "always_hold"],
    "paper_account": [r"paper (\d+\.\d\d), backtest \1\n", r"\('closed', \d+\)", r"new: \['started'\]\nTrue\n$"],
}


def test_every_notebook_is_run_and_on_its_page():
    page = (FOLDER.parent.parent / "docs" / "notebooks.md").read_text()
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SHOWN)
    assert set(re.findall(r"notebooks/(\w+)\.py", page)) == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_notebook_runs_as_a_script(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    out = capsys.readouterr().out
    for text in SHOWN[name]:
        assert re.search(text, out), f"{text}\n{out}"


def test_a_notebook_converts(tmp_path):
    out = tmp_path / "first_hour.ipynb"
    convert = [sys.executable, "-m", "jupytext", "--to", "notebook", "--output", out, FOLDER / "first_hour.py"]
    subprocess.run(convert, check=True, capture_output=True)
    cells = json.loads(out.read_text())["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert cells[0]["source"][0].startswith("# The first hour")
    assert sum(cell["cell_type"] == "code" for cell in cells) >= 8
