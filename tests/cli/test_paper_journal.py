"""`quorate paper journal`: records as lines and as JSON."""

import json

import pytest

from quorate.cli.app import main
from quorate.trading.journal import FeedRecord, Journal, MovedRecord, ValuedRecord

HOUR = 3_600_000
WRITTEN = [
    MovedRecord(HOUR, "BTC/USDT:USDT", 93_000.5),
    ValuedRecord(HOUR, "close", 1_000.25, 990.0),
    FeedRecord(2 * HOUR, "down", None, 0, "no answer"),
]


@pytest.fixture
def say(tmp_path, capsys):
    """`quorate paper journal ARGUMENTS` on a journal with three records: exit code, output, errors."""
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    with Journal.open(url, "paper") as journal:
        journal.append(WRITTEN)

    def said(*arguments):
        code = main(["paper", "journal", "--journal", url, "--account", "paper", *arguments])
        return code, *capsys.readouterr()

    return said


def test_records_as_lines(say):
    code, out, _ = say()
    assert code == 0
    first, second, third = out.splitlines()
    assert first == "1 1970-01-01 01:00 BTC/USDT:USDT stop moved to 93000.5"
    assert second == "2 1970-01-01 01:00 equity at the close 1,000.25 USD, cash 990.00 USD, nothing open"
    assert third == "3 1970-01-01 02:00 feed down: no answer"


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ((), [1, 2, 3]),
        (("--last", "2"), [2, 3]),
        (("--all", "--after", "1"), [2, 3]),
        (("--last", "2", "--after", "2"), [3]),
        (("--kind", "moved", "--kind", "feed"), [1, 3]),
    ],
)
def test_selected_records_as_json(say, arguments, numbers):
    code, out, _ = say("--json", *arguments)
    listed = json.loads(out)
    assert code == 0
    assert [one["seq"] for one in listed] == numbers
    if numbers[0] == 1:
        assert (listed[0]["kind"], listed[0]["symbol"], listed[0]["body"]) == (
            "moved",
            "BTC/USDT:USDT",
            {"stop": 93_000.5},
        )
        assert listed[0]["time"] == "1970-01-01T01:00:00Z"


def test_an_unknown_kind_is_wrong_usage(say):
    code, _, err = say("--kind", "filed")
    assert code == 2
    assert "Did you mean 'filled'" in " ".join(err.split())


def test_an_unknown_account_is_refused(say, tmp_path, capsys):
    code, _, err = say("--account", "papr")
    assert code == 1
    assert "Did you mean 'paper'" in " ".join(err.split())


def test_a_journal_is_copied(say, tmp_path, capsys):
    copied = f"sqlite:///{tmp_path / 'copy.sqlite'}"
    main(["paper", "copy", "--journal", f"sqlite:///{tmp_path / 'journal.sqlite'}", "--to", copied, "--json"])
    assert json.loads(capsys.readouterr().out) == {"records": 3}
    with Journal.open(copied, "paper") as journal:
        assert [entry.record for entry in journal.read()] == WRITTEN
