"""Every command with a table on a terminal of 40 columns: no line is wider, and no text of the wide one is lost."""

import os
import re
import subprocess
import sys

import pytest

from quorate.cli import app
from quorate.core.clock import HOUR_MS, format_ms, parse_ms

from .conftest import SMALL

WIDTH = 40
#: Words that are cut nowhere, and may be wider: ids of several markets, paths.
LONG = re.compile(r"\S{34,}")


@pytest.fixture(scope="module")
def lines(world):
    later = format_ms(parse_ms(world.seam) + 60 * HOUR_MS).replace(" ", "T")
    data, bundle = ("--data", world.data), ("--bundle", world.bundle)
    bars = (*bundle, *data, "--from", world.seam, "--to", later)
    train = ("--symbols", "SYNA/USDT:USDT", "--to", "2024-01-14", "--models", "xgboost,lightgbm")
    return {
        "train": ("train", *data, *train, "--out", "bundles"),
        "signal": ("signal", *bundle, *data, "SYNA/USDT:USDT", "SYNC/USDT:USDT"),
        "evaluate": ("evaluate", *bars),
        "backtest": ("backtest", *bars),
        "bundle list": ("bundle", "list", "--bundles", world.bundle.parent),
        "bundle show": ("bundle", "show", world.bundle),
        "data list": ("data", "list", *data),
        "data check": ("data", "check", *data),
        "paper run": ("paper", "run", "--replay", *bars),
        "paper status": ("paper", "status"),
    }


def quorate(folder, columns, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", "from quorate.cli.app import run; run()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **SMALL, "COLUMNS": str(columns), "QUORATE_GUARDS__MODELS": "2"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of a paper account."""
    return tmp_path_factory.mktemp("narrow")


def figures(text):
    """Figures of an output, without the times of its own run."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b\d+(\.\d+)? (s|MiB)\b|wall time.*", " ", text)
    return set(re.findall(r"[-+]?\d[\d,.]*\d|\d", text))


def require_narrow(shown):
    assert "\u2026" not in shown
    wide = [line for line in shown.splitlines() if len(line.rstrip()) > WIDTH and not LONG.search(line)]
    assert not wide


NAMES = (
    "train", "signal", "evaluate", "backtest", "bundle list", "bundle show", "data list", "data check", "paper run",
    "paper status",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_forty_columns_show_every_figure(lines, folder, tmp_path, name):
    here = folder if name == "paper status" else tmp_path
    if name == "paper status":
        quorate(here, 400, *lines["paper run"])
    narrow = quorate(here, WIDTH, *lines[name])
    require_narrow(narrow)
    (tmp_path / "wide").mkdir()
    wide = quorate(here if name == "paper status" else tmp_path / "wide", 400, *lines[name])
    missing = figures(wide) - figures(narrow)
    assert not {figure for figure in missing if figure not in re.sub(r"\s+", "", narrow)}


def commands(command, *names):
    yield names
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *names, name)


def test_help_of_every_command_fits(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    asked = list(commands(app.typer.main.get_command(app.app)))
    assert len(asked) > 20
    for names in asked:
        assert app.main([*names, "--help"]) == 0
        shown = capsys.readouterr().out
        assert [line for line in shown.splitlines() if len(line) > WIDTH and not LONG.search(line)] == [], names
        assert shown.startswith("Usage: quorate")
    monkeypatch.setenv("COLUMNS", "100")
    assert app.main(["train", "--help"]) == 0
    assert "  --out FOLDER                    Folder of bundles; created if missing." in capsys.readouterr().out
