"""`quorate doctor`, and the completion of the shell."""

import json
import os
import subprocess
import sys

import pytest

from quorate.cli.app import main
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.doctor.machine import machine
from quorate.workflows.doctor.packages import EXTRAS
from stubs import freqtrade

CPUINFO = "processor : 0\nflags\t\t: fpu avx2 avx512f avx512_vnni avx_vnni\n"
MEMINFO = "MemTotal:       2097152 kB\nMemAvailable:   1048576 kB\nHugePages_Total:       0\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with candles in a usual place, and one file that is none."""
    monkeypatch.chdir(tmp_path)
    SyntheticMarket(seed=1, symbols=2, bars=50).write(tmp_path / "user_data" / "data" / "binance")
    (tmp_path / "user_data/data/binance/futures/X_USDT_USDT-1h-futures.feather").write_bytes(b"nothing")
    return tmp_path


def test_what_is_found_fits_a_screen(place, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 10 <= len(lines) <= 20
    # A path is never broken: it is there to be copied.
    assert max(len(line) for line in lines if str(place) not in line) <= 80
    assert lines[-1] == "every verb of the core can run"
    said = " ".join(" ".join(lines).split())
    assert (
        "user_data/data/binance, 1 file cannot be read: quorate data check 1h: 3 markets, 2024-01-01 00:00 to" in said
    )


def test_the_document(place, capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["problems"]) == (True, [])
    (data,) = found["data"]
    assert data["timeframes"]["1h"] == {
        "markets": 3,
        "first_bar": "2024-01-01T00:00:00Z",
        "last_bar": "2024-01-03T01:00:00Z",
    }
    assert found["machine"]["folder"] == str(place)
    assert [extra["name"] for extra in found["extras"]] == list(EXTRAS)
    assert all(extra["installed"] for extra in found["extras"]), "the environment of the tests has all"


def test_settings_that_cannot_be_used_are_a_problem_of_the_core(place, capsys):
    (place / "quorate.toml").write_text("[vote]\nflor = 0.5\n")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "PROBLEM" in said
    assert "Did you mean 'floor'?" in said


def test_a_missing_extra_is_named_with_its_verb_and_its_command(tmp_path):
    python = freqtrade.require() / "bin" / "python"
    command = [python, "-c", "from quorate.cli.app import run; run()", "doctor", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    extras = {extra["name"]: extra for extra in json.loads(done.stdout)["extras"]}
    assert extras["train"]["verbs"].startswith("train")
    assert "torch" in extras["train"]["missing"]
    assert extras["train"]["install"] == "pip install 'quorate[train]'"


def test_the_machine_is_what_the_system_lists(tmp_path):
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    (tmp_path / "meminfo").write_text(MEMINFO)
    found = machine(tmp_path / "cpuinfo", tmp_path / "meminfo")
    assert found.features == ("AVX2", "AVX-512", "VNNI")
    assert (found.memory, found.memory_free) == (2 << 30, 1 << 30)
    unknown = machine(tmp_path / "none", tmp_path / "none")
    assert (unknown.features, unknown.memory) == (None, None)


def test_the_shell_completes_verbs():
    asked = {"_QUORATE_COMPLETE": "complete_bash", "COMP_WORDS": "quorate pa", "COMP_CWORD": "1"}
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()"]
    done = subprocess.run(program, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["paper"]
