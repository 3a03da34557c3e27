"""Commands that write, on a file system that is read-only and with too few open files: a clear error, nothing lost."""

import hashlib
import os
import resource
import shutil
import subprocess
import sys

import pytest

from quorate.core.clock import HOUR_MS, format_ms, parse_ms
from quorate.trading.journal import Journal
from stubs.binance import spawn

from .conftest import SMALL

CSV = "BTCUSDT-1h-2024-01-01.csv"
LEDGER = "trials.jsonl"


def quorate(*arguments, files=None, **variables):
    """`quorate ARGUMENTS` as a process; `files` limits its open files."""

    def limited():
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    return subprocess.run(
        [sys.executable, "-c", "from quorate.cli.app import run; run()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **SMALL, **variables},
        preexec_fn=None if files is None else limited,
    )


def digests(folder):
    """Name -> digest of every file but locks, temporary files, and journal and ledger, to which records are added."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith((".", "paper.sqlite", LEDGER))
    }


def ledger(folder):
    """The records of the trials; an evaluation whose report cannot be written has been made all the same."""
    file = folder / LEDGER
    return file.read_text().splitlines() if file.exists() else []


def journal(folder):
    """The records of the journal."""
    with Journal.open(f"sqlite:///{folder}/paper.sqlite", "paper") as opened:
        return list(opened.read())


def lines(world, place, url):
    """Name -> arguments of each command that writes into a folder, and the variables that send its files there."""
    later = format_ms(parse_ms(world.seam) + 40 * HOUR_MS).replace(" ", "T")
    bars = ("--bundle", world.bundle, "--data", world.data, "--from", world.seam, "--to", later)
    train = ("train", "--data", world.data, "--symbols", "SYNA/USDT:USDT", "--to", "2024-01-14", "--out", place / "new")
    outputs = {"QUORATE_EVALUATION__LEDGER": f"{place}/{LEDGER}", "QUORATE_EVALUATION__REPORTS": f"{place}/reports"}
    journal = {"QUORATE_JOURNAL__URL": f"sqlite:///{place}/paper.sqlite", "QUORATE_GUARDS__MODELS": "2"}
    days = ("--symbols", "SYNA/USDT:USDT", "--from", "2024-01-05", "--to", "2024-01-07", "--out", place / "data")
    served = {
        "QUORATE_EXCHANGE__URL": url,
        "QUORATE_EXCHANGE__ATTEMPTS": "2",
        "QUORATE_EXCHANGE__PAUSE_S": "0.01",
    }
    return {
        "import": (("data", "import", place.parent / CSV, "--data", place / "data", "--perpetual"), {}),
        "download": (("data", "download", *days), served),
        "train": ((*train, "--models", "xgboost,lightgbm"), {}),
        "backtest": (("backtest", *bars), outputs),
        "evaluate": (("evaluate", *bars, "--report", place / "page.html"), outputs),
        "promote": (("bundle", "promote", world.bundle.name, "--bundles", place / "bundles"), {}),
        "paper": (("paper", "run", "--replay", *bars), {**outputs, **journal}),
    }


COMMANDS = ("import", "download", "train", "backtest", "evaluate", "promote", "paper")


@pytest.fixture(scope="module")
def exchange(world):
    with spawn(world.data, "--now", "2024-02-01") as stub:
        yield stub.url


@pytest.fixture(scope="module")
def place(world, tmp_path_factory, exchange):
    """A folder with results of every command, beside a file to import."""
    folder = tmp_path_factory.mktemp("system") / "place"
    folder.mkdir()
    opened = [1_704_067_200_000 + HOUR_MS * hour for hour in range(3)]
    rows = "".join(f"{time},100,110,90,101,5,{time + 3_599_999},0,1,0,0,0\n" for time in opened)
    (folder.parent / CSV).write_text(rows)
    shutil.copytree(world.bundle.parent, folder / "bundles")
    (folder / "bundles" / "champion").unlink()
    for name in ("backtest", "evaluate", "paper"):
        arguments, variables = lines(world, folder, exchange)[name]
        done = quorate(*arguments, **variables)
        assert done.returncode == 0, done.stderr
    return folder


def require_refused(done, words):
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr
    # A download that goes on with its other files names the one that failed in its result.
    said = [*done.stderr.splitlines(), *done.stdout.splitlines()]
    error = [line for line in said if line.strip().startswith(("error: could not ", "found: could not "))]
    assert error, done.stdout + done.stderr
    assert any(word in error[-1] for word in words), error


@pytest.fixture
def read_only(place, tmp_path):
    """A copy of the folder on a file system that is mounted read-only."""
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("only the superuser may mount a file system")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mounted], check=False, capture_output=True).returncode:
        pytest.skip("this system does not let the superuser mount a file system")
    try:
        shutil.copytree(place, mounted / "place")
        shutil.copy(place.parent / CSV, mounted)
        subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
        yield mounted / "place"
    finally:
        subprocess.run(["umount", "--lazy", mounted], check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_read_only_file_system_is_named(world, read_only, exchange, name):
    arguments, variables = lines(world, read_only, exchange)[name]
    require_refused(quorate(*arguments, **variables), ("Read-only file system", "cannot be written"))


#: Command -> limits of open files at which it stops early and late.
LIMITS = {"import": (5, 6), "download": (8, 12), "train": (8,), "backtest": (6,), "evaluate": (5, 6), "paper": (8, 12)}


@pytest.mark.parametrize(("name", "files"), [(name, files) for name, limits in LIMITS.items() for files in limits])
def test_too_few_open_files_lose_nothing(world, place, tmp_path, exchange, name, files):
    folder = tmp_path / "place"
    shutil.copytree(place, folder)
    shutil.copy(place.parent / CSV, tmp_path)
    arguments, variables = lines(world, folder, exchange)[name]
    before, entries, trials = digests(folder), journal(folder), ledger(folder)
    done = quorate(*arguments, files=files, **variables)
    if done.returncode:  # another version of a library may need fewer
        require_refused(done, ("open files", "cannot be opened"))
        after = digests(folder)
        assert {path: after.get(path) for path in before} == before
    assert journal(folder)[: len(entries)] == entries
    assert ledger(folder)[: len(trials)] == trials
    done = quorate(*arguments, **variables)
    assert done.returncode == 0, done.stderr
    assert journal(folder)[: len(entries)] == entries
