"""The status of an account that is read once and then continued is the same as one that is read anew."""

from dataclasses import replace

import pytest

from quorate.core.errors import JournalError
from quorate.core.settings import CostSettings
from quorate.trading.journal import HumanRecord, Journal
from quorate.trading.paper import AccountStatus
from stubs.scripted import make_world


def whole(journal):
    status = AccountStatus(journal)
    return status.to_json(), status.history.result(), [frame.time.tolist() for frame in status.history.frames()]


def continued(status):
    return status.to_json(), status.history.result(), [frame.time.tolist() for frame in status.history.frames()]


def same(found, expected):
    assert found[0] == expected[0]
    assert found[1].equity_usd.tolist() == expected[1].equity_usd.tolist()
    assert found[1].trades == expected[1].trades
    assert found[2] == expected[2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_every_step_both_are_the_same(tmp_path, seed):
    world = make_world(seed, bars=120)
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    statuses, steps = [], [0]

    def compare(record):
        if record.kind != "valued":
            return
        with Journal.open(url, "paper", role="reader") as other:
            if not statuses:
                statuses.append((reader := Journal.open(url, "paper", role="reader"), AccountStatus(reader)))
            else:
                statuses[0][1].refresh(statuses[0][0])
            steps[0] += 1
            if steps[0] % 7 == 0:
                same(continued(statuses[0][1]), whole(other))

    with Journal.open(url, "paper") as journal:
        world.session(journal, listener=compare).run()
    reader, status = statuses[0]
    assert steps[0] > 90
    assert status.to_json()["moves"], "no guard moved: the comparison shows little"
    assert len(status.history.result().trades) > 5
    assert status.refresh(reader) == 0
    same(continued(status), whole(reader))
    reader.close()


def test_a_session_with_other_settings_makes_the_journal_be_read_again(tmp_path):
    world = make_world(1, bars=100)
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    with Journal.open(url, "paper") as journal:
        world.session(journal, end=world.start + 30 * 3_600_000).run()
    with Journal.open(url, "paper", role="reader") as reader:
        status = AccountStatus(reader)
        world.config = replace(world.config, costs=CostSettings(taker_fee=0.002))
        with Journal.open(url, "paper") as journal:
            world.session(journal).run()
        assert status.refresh(reader) > 0
        assert status.to_json()["session"]["number"] == 2
        same(continued(status), whole(reader))
        assert status.engine.account.costs.taker_fee == 0.002


def test_a_request_is_shown_until_it_is_applied(tmp_path):
    world = make_world(1, bars=100)
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    with Journal.open(url, "paper") as journal:
        world.session(journal, end=world.start + 30 * 3_600_000).run()
    with Journal.open(url, "paper", role="reader") as reader, Journal.open(url, "paper", role="human") as person:
        status = AccountStatus(reader)
        last = status.recovered.valued
        person.append([HumanRecord(last.time, 1, "rearm", "losses", "Ada", "seen")])
        assert status.refresh(reader) == 1
        assert [request["who"] for request in status.to_json()["requests"]] == ["Ada"]
        with Journal.open(url, "paper") as journal:
            world.session(journal).run()
        status.refresh(reader)
        assert status.to_json()["requests"] == []


def test_an_account_without_a_session(tmp_path):
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    Journal.open(url, "paper").close()
    with Journal.open(url, "paper", role="reader") as reader, pytest.raises(JournalError, match="no session"):
        AccountStatus(reader)
