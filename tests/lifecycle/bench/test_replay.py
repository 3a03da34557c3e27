"""A replay benches members bar by bar, as a watcher would have."""

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, iso_ms
from quorate.core.errors import ArgumentError
from quorate.ensemble.inference.bench import Bench, BenchSpan
from quorate.trading.journal import Journal, records
from quorate.workflows.paper import PaperAccount
from stubs.watched import SETTINGS


def test_a_replay_is_benched_from_the_bar_on_and_resumes_so(watched, tmp_path):
    start, end = watched.end - 2 * DAY_MS, watched.end - DAY_MS
    span = BenchSpan("lightgbm", start + 6 * HOUR_MS, start + 12 * HOUR_MS, "drifted: skill")
    account = PaperAccount("main", f"sqlite:///{tmp_path}/journal.sqlite", settings=SETTINGS)
    # In two sessions, the first of which ends while the member is benched.
    for stop in (start + 9 * HOUR_MS, end):
        account.run(
            watched.path,
            watched.panel,
            start=iso_ms(start),
            end=iso_ms(stop),
            bench=lambda bundle: Bench((span,) if bundle == watched.id else ()),
        )
    with Journal.open(account.url, "main", role="reader") as journal:
        moves = [entry.record for entry in journal.read(kinds=[records.BenchMovedRecord])]
        decided = [entry.record for entry in journal.read(kinds=[records.DecidedRecord])]
        shadows = [entry.record for entry in journal.read(kinds=[records.ShadowRecord])]
    # The bar that closes with the span's start is the first without the member.
    first, last = (moment - HOUR_MS for moment in (span.start, span.end))
    assert [(move.time, move.model, move.benched) for move in moves] == [
        (first, "lightgbm", True),
        (last, "lightgbm", False),
    ]
    assert moves[0].reason == "drifted: skill"
    for record in decided:
        held = first <= record.time < last
        assert [out.reason for out in record.abstentions] == (["benched: drifted: skill"] if held else [])
        assert len(record.votes) == (1 if held else 2)
        assert record.mode == ("partial" if held else "full")
    assert {record.time for record in shadows} == set(range(first, last, HOUR_MS))
    assert {vote.model for record in shadows for vote in record.votes} == {"lightgbm"}


def test_a_live_session_has_the_stored_bench_only(watched, tmp_path):
    account = PaperAccount("main", f"sqlite:///{tmp_path}/journal.sqlite", settings=SETTINGS)
    with (
        pytest.raises(ArgumentError, match="`bench` with live candles"),
        account.session(watched.path, exchange="binanceusdm", bench=lambda _: Bench()),
    ):
        pass
