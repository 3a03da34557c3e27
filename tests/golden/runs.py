"""Command lines on one small synthetic market, run as programs of their own, and the documents that they print.

Nothing here imports Quorate: the interpreter and the source folder are arguments, so that two checkouts can be run side
by side. Of Quorate it uses `quorate.cli.app.main` and `quorate.market.synthetic.SyntheticMarket` alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden.page import read_page

# A table with a gap, duplicates, rows that contradict each other, a spike, a bar without volume and two rows swapped.
_GIVEN = tuple(Path(__file__).with_name(name) for name in ("quorate.toml", "faulty.csv"))

_MARKET = """
from quorate.market.synthetic import SyntheticMarket
SyntheticMarket(seed=19, symbols=4, bars=1_500, edge=0.2).write("data")
"""
# Beginnings of variables that would change what a run does or computes.
_CHOICES = ("QUORATE_", "PYTHON", "NPY_", "OPENBLAS_", "OMP_", "MKL_", "KMP_", "ATEN_", "ONEDNN_", "DNNL_", "ORT_")
_PROGRAM = "import sys; from quorate.cli.app import main; sys.exit(main())"

# The market begins on 2024-01-01 and ends on 2024-03-03 12:00. SYND is never trained on.
_SEAM = "2024-02-14"
_TRAIN = f"--data data --symbols SYNA/USDT:USDT,SYNB/USDT:USDT,SYNC/USDT:USDT --to {_SEAM}"
_LATER = f"--data data --from {_SEAM}"
_REPLAY = f"paper run --replay --bundle bundles {_LATER}"


@dataclass(frozen=True, slots=True)
class Command:
    """One command line.

    Attributes:
        name: of its document.
        line: everything after `quorate`, without --json.
        page: the HTML page that it writes, if any.
    """

    name: str
    line: str
    page: str | None = None

    @property
    def verb(self) -> str:
        """`train`, `paper journal` and the like."""
        first, second = (*self.line.split(), "")[:2]
        return f"{first} {second}" if first in ("paper", "bundle", "data") else first


#: Name -> commands that share a folder, in order. Chains do not depend on each other.
CHAINS: dict[str, tuple[Command, ...]] = {
    "vote": (
        Command("train", f"train {_TRAIN} --models xgboost,lightgbm --out bundles"),
        Command("bundles", "bundle list"),
        Command("bundle", "bundle show"),
        Command("verify", "bundle verify"),
        Command("signal", "signal --bundle bundles --data data SYNA/USDT:USDT SYND/USDT:USDT"),
        Command("evaluate", f"evaluate --bundle bundles {_LATER} --report page.html", page="page.html"),
        Command("backtest", f"backtest --bundle bundles {_LATER}"),
        Command("guards", f"backtest --guards --bundle bundles {_LATER}"),
        Command("calibrated", f"backtest --policy calibrated --bundle bundles {_LATER}"),
    ),
    "paper": (
        Command("train", f"train {_TRAIN} --models xgboost,lightgbm --out bundles"),
        Command("first", f"{_REPLAY} --to 2024-02-20"),
        Command("promote", "paper promote --who golden --yes"),
        Command("second", f"{_REPLAY} --to 2024-03-02"),
        Command("halted", "paper status"),
        Command("rearm", "paper rearm drawdown --who golden --note again --yes"),
        Command("rest", _REPLAY),
        Command("status", "paper status"),
        Command("journal", "paper journal --all"),
    ),
    "networks": (
        Command("train", f"train {_TRAIN} --models xgboost,lightgbm,logistic,nhits,patchtst --out bundles"),
        Command("signal", "signal --bundle bundles --data data SYNA/USDT:USDT SYND/USDT:USDT"),
        Command("evaluate", f"evaluate --bundle bundles {_LATER}"),
        Command("backtest", f"backtest --bundle bundles {_LATER}"),
    ),
    "stack": (
        Command("train", f"train --recipe stack {_TRAIN} --models lightgbm,xgboost --out bundles"),
        Command("signal", "signal --bundle bundles --data data SYNA/USDT:USDT SYND/USDT:USDT"),
        Command("evaluate", f"evaluate --bundle bundles {_LATER}"),
        Command("backtest", f"backtest --bundle bundles {_LATER}"),
    ),
    "series": (
        Command("train", f"train --rolling 7d --window 25d {_TRAIN} --models xgboost,lightgbm --out bundles"),
        Command("bundles", "bundle list"),
        Command("signal", "signal --bundle {series} --data data SYNA/USDT:USDT SYND/USDT:USDT"),
        Command("evaluate", "evaluate --bundle {series} --data data --from 2024-02-03"),
        Command("backtest", "backtest --bundle {series} --data data --from 2024-02-03"),
    ),
    "walk": (
        Command(
            "evaluate",
            "evaluate --data data --symbols SYNA/USDT:USDT,SYNB/USDT:USDT --models xgboost,lightgbm --folds 2 "
            "--report page.html",
            page="page.html",
        ),
    ),
    "data": (
        Command("list", "data list --data data"),
        Command("check", "data check --data data"),
        Command("import", "data import faulty.csv --data imported --symbol BTC/USDT:USDT --timeframe 1h"),
        Command("imported", "data list --data imported"),
        Command("faults", "data check --data imported"),
    ),
}


class RunError(Exception):
    """A command that could not be run, or printed no document."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command left behind.

    Attributes:
        code: exit code.
        document: what it printed.
        page: what its page shows; None where it writes none.
        published: file of a published bundle, as `bundle 1/manifest.json` -> content; empty for all but `train`.
    """

    code: int
    document: Any
    page: Any = None
    published: Mapping[str, bytes] = field(default_factory=dict)


def run_chain(chain: str, folder: Path, source: Path, python: Path) -> dict[str, Outcome]:
    """Run one chain in an empty folder.

    Args:
        chain: key of `CHAINS`.
        folder: made; settings, candles, bundles, ledger and journal go there.
        source: the folder that holds the package `quorate`.
        python: interpreter with its dependencies.

    Returns:
        Name of the command -> outcome.

    Raises:
        RunError: the market could not be made, or a command printed no document.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in _GIVEN:
        shutil.copy(file, folder)
    made = _python(python, source, folder, _MARKET)
    if made.returncode:
        raise RunError(f"the synthetic market could not be written: {made.stderr}")
    outcomes: dict[str, Outcome] = {}
    for command in CHAINS[chain]:
        # A series is named by its content, so where it lies is known only once it is trained.
        line = command.line
        if "{series}" in line:
            line = line.format(series=outcomes["train"].document["bundle"])
        outcomes[command.name] = _run(command, line, folder, source, python)
    return outcomes


def _run(command: Command, line: str, folder: Path, source: Path, python: Path) -> Outcome:
    done = _python(python, source, folder, _PROGRAM, *line.split(), "--json")
    try:
        document = json.loads(done.stdout)
    except ValueError as error:
        raise RunError(f"quorate {line} --json ended with {done.returncode} and no document: {done.stderr}") from error
    page = None
    if command.page is not None and done.returncode == 0:
        page = read_page((folder / command.page).read_text(encoding="utf-8"), document["provenance"])
    published = dict(_published(document, folder)) if command.verb == "train" and done.returncode == 0 else {}
    return Outcome(done.returncode, document, page, published)


def _published(document: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of every bundle that a training made but its card, named by the order in which they were trained."""
    named = [document] if "bundles" not in document else [*document["bundles"], document]
    for number, one in enumerate(named, 1):
        name = "series" if one.get("bundles") else f"bundle {number}"
        for path in sorted((folder / one["bundle"]).rglob("*")):
            # A card is made of the other files; its words may change.
            if path.is_file() and path.stem != "card":
                yield f"{name}/{path.relative_to(folder / one['bundle'])}", path.read_bytes()


def digests(published: Mapping[str, bytes]) -> dict[str, str]:
    """File name -> SHA-256."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in published.items()}


def _python(python: Path, source: Path, folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(source),
    )


def environment(source: Path) -> dict[str, str]:
    """This process's variables without settings of Quorate, Python or a library of arithmetic, and one thread for each.

    Sums over rows depend on how many threads share them, and the number of cores is the machine's.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_CHOICES)}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return kept | {"PYTHONPATH": str(source), "TZ": "UTC"} | dict.fromkeys(threads, "1")


def names(chains: Sequence[str]) -> list[tuple[str, str]]:
    """Every command of some chains, as (chain, command)."""
    return [(chain, command.name) for chain in chains for command in CHAINS[chain]]
