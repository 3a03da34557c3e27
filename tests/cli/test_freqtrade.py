"""`quorate freqtrade`: files of Freqtrade, guards of a bot."""

import json

import pytest

from quorate.cli.app import main
from quorate.core.settings import GuardSettings
from quorate.integrations.freqtrade import BarSummary, GuardRunner
from quorate.integrations.freqtrade.guarding.guard_journal import GuardJournal


@pytest.fixture
def halted(tmp_path):
    """A bot's user_data whose guards have tripped: too few members, and a mean confidence that is too low."""
    runner = GuardRunner(GuardSettings(), GuardJournal(tmp_path / "quorate" / "guards.jsonl"))
    runner.record_bar(BarSummary(0, 1_000.0, 2, tuple([0.5] * 30), {}))
    return tmp_path


def test_init_lists_every_file_with_its_status(tmp_path, capsys):
    assert main(["freqtrade", "init", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("written") == 9
    (tmp_path / "config-quorate-spot.json").write_text('{"quorate": {"leverage": 2}}')
    assert main(["freqtrade", "init", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "left" in said.out
    assert "--force" in said.err
    assert main(["freqtrade", "init", str(tmp_path), "--force", "--json"]) == 0
    (updated,) = [one for one in json.loads(capsys.readouterr().out) if one["deed"] == "updated"]
    assert updated["keys"] == ["strategy", "timeframe", "api_server", "quorate.bundle"]
    assert updated["backup"].endswith("config-quorate-spot.json.bak")
    assert main(["freqtrade", "init", str(tmp_path / "nowhere")]) == 1
    assert "create-userdir" in capsys.readouterr().err


def test_guards_are_shown_and_rearmed(halted, capsys):
    assert main(["freqtrade", "guards", str(halted), "--json"]) == 0
    modes = {one["guard"]: one["mode"] for one in json.loads(capsys.readouterr().out)["guards"]}
    assert (modes["models"], modes["confidence"], modes["losses"]) == ("REDUCING", "HALTED", "ACTIVE")
    assert main(["freqtrade", "guards", str(halted)]) == 0
    assert "HALTED" in capsys.readouterr().out
    assert main(["freqtrade", "rearm", str(halted), "confidence", "--by", "Ada", "--yes"]) == 0
    assert "re-armed by Ada" in capsys.readouterr().out
    assert main(["freqtrade", "guards", str(halted), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mode"] == "REDUCING"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["models", "--by", "Ada"], "clears by itself"),
        (["losses", "--by", "Ada"], "not tripped"),
        (["confidnce", "--by", "Ada"], "Did you mean 'confidence'"),
        (["confidence", "--by", " "], "no name"),
    ],
)
def test_guards_that_cannot_be_rearmed_are_refused(halted, capsys, arguments, told):
    assert main(["freqtrade", "rearm", str(halted), *arguments, "--yes"]) == 1
    assert told in capsys.readouterr().err


def test_a_missing_journal_is_refused(tmp_path, capsys):
    assert main(["freqtrade", "guards", str(tmp_path)]) == 1
    assert "--journal" in capsys.readouterr().err
