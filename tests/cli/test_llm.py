"""`quorate llm record` and `show` against a local server: as programs, and the workflow behind them."""

import json
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import ArgumentError, RecordingError
from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.core.settings import JournalSettings, Settings
from quorate.llm.recordings import RecordingStore
from quorate.workflows.recordings import record_replies, recordings_summary
from stubs.chat_server import REPLY, chat_server

# Hours after the training span that are recorded.
SPAN = 12
QUESTIONS = 2 * SPAN
# Hours after the training span at which the bundle acts on some bars of the span.
LATER = 74
# The server counts 1,000 and 100 tokens, at $1 and $10 a million.
USD = 0.002


@pytest.fixture(scope="module")
def server():
    with chat_server() as running:
        running.replies["mild"] = REPLY | {"confidence": 0.55}
        yield running


@pytest.fixture
def recorder(world, server, tmp_path):
    """Records the first hours after the training span, with two roles whose models are named."""
    server.requests.clear()
    store = RecordingStore(tmp_path / "recordings")

    def settings(technical="good", risk="good", cutoff="2024-01-01", **changed):
        def provider(model):
            return ProviderSettings(
                url=server.url, model=model, name="local", cutoff=cutoff, usd_per_million_in=1, usd_per_million_out=10
            )

        llm = LLMSettings(
            technical=provider(technical), risk=provider(risk), retries=0, recordings=str(store.folder), **changed
        )
        return Settings(llm=llm, journal=JournalSettings(url=f"sqlite:///{tmp_path}/journal.sqlite"))

    def record(chosen=None, **changed):
        start = parse_ms(world.seam)
        options = {"every_bar": True, "symbols": "SYNA/USDT:USDT", "start": start, "end": start + SPAN * HOUR_MS}
        given = settings() if chosen is None else chosen
        return record_replies(world.bundle, world.data, settings=given, **(options | changed))

    return SimpleNamespace(
        record=record, settings=settings, store=store, server=server, folder=tmp_path, seam=world.seam
    )


def test_record_and_show_as_programs(recorder, world, quorate_program):
    asked = (
        "llm", "record", "--bundle", world.bundle, "--data", world.data, "--from", world.seam, "--to", "2024-02-01",
        "--symbols", "SYNA/USDT:USDT", "--all",
    )  # fmt: skip
    variables = {
        "QUORATE_LLM__TECHNICAL__URL": recorder.server.url,
        "QUORATE_LLM__TECHNICAL__MODEL": "mild",
        "QUORATE_LLM__TECHNICAL__CUTOFF": "2024-01-01",
        "QUORATE_LLM__USD_PER_DAY": "0",
    }
    unconfirmed = quorate_program(*asked, "--json", folder=recorder.folder, **variables)
    assert unconfirmed.returncode == 1
    assert "44 questions, at most $0.0000" in unconfirmed.stderr
    plan = json.loads(unconfirmed.stdout)
    assert (plan["questions"], plan["asked"], plan["stopped"]) == (44, 0, "not confirmed")
    assert recorder.server.requests == []
    done = quorate_program(*asked, "--yes", "--json", folder=recorder.folder, **variables)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["bars"], found["questions"], found["replies"], found["stopped"]) == (44, 44, 44, None)
    assert str(recordings_summary(recorder.store.folder)).startswith("44 recordings in ")
    id_ = recorder.store.ids()[0]
    shown = json.loads(quorate_program("llm", "show", id_[:10], "--json", folder=recorder.folder).stdout)
    assert shown["id"] == id_
    assert json.loads(shown["raw"]) == REPLY | {"confidence": 0.55}
    path = recorder.store.folder / id_[:2] / f"{id_}.json"
    path.write_text(path.read_text()[:-40])
    altered = quorate_program("llm", "show", "--list", folder=recorder.folder)
    assert altered.returncode == 1
    assert altered.stdout.startswith("43 recordings of recordings")
    assert path.name in altered.stderr


def test_replies_and_abstentions_are_recorded_once(recorder):
    settings = recorder.settings("mild", "3278")
    plans = []
    found = recorder.record(settings, confirm=lambda plan: plans.append(plan) or True)
    assert (found.plan.bars, found.plan.questions, found.plan.recorded) == (SPAN, QUESTIONS, 0)
    assert (found.replies, sum(found.abstentions.values()), found.failures) == (SPAN, SPAN, {})
    assert all("3278" in reason for reason in found.abstentions)
    assert found.usd == pytest.approx(QUESTIONS * USD)
    assert plans[0].usd > found.usd
    assert {(each.usd, each.tokens_in, each.tokens_out) for each in recorder.store.read()} == {(USD, 1_000, 100)}
    again = recorder.record(settings)
    assert (again.plan.questions, again.plan.recorded, again.asked) == (0, QUESTIONS, 0)
    assert len(recorder.server.requests) == QUESTIONS
    summary = {group.role: group for group in recordings_summary(settings=settings).groups}
    assert (summary["technical"].model, summary["technical"].replies) == ("mild", SPAN)
    assert summary["technical"].confidence == pytest.approx(0.55)
    assert summary["technical"].cutoff == parse_ms("2024-01-02")
    assert (summary["risk"].replies, summary["risk"].abstentions) == (0, SPAN)


def test_a_reply_is_on_disk_before_the_next_one_has_come(recorder):
    waited = []

    def waits():
        until = time.monotonic() + 10
        while not recorder.store.ids() and time.monotonic() < until:
            time.sleep(0.01)
        waited.append(len(recorder.store.ids()))
        return REPLY

    recorder.server.replies["waits"] = waits
    start = parse_ms(recorder.seam)
    found = recorder.record(recorder.settings("mild", "waits"), start=start, end=start + HOUR_MS)
    assert found.replies == 2
    assert waited == [1]


def test_by_default_only_bars_on_which_the_bundle_acts_are_asked_about(recorder, world):
    start = parse_ms(world.seam) + LATER * HOUR_MS
    found = recorder.record(every_bar=False, start=start, end=start + SPAN * HOUR_MS)
    assert 0 < found.plan.bars < SPAN
    assert found.replies == 2 * found.plan.bars == len(recorder.store.ids())


def test_a_plan_that_is_refused_asks_nothing(recorder):
    assert recorder.record(confirm=lambda _: False).stopped == "not confirmed"
    assert recorder.server.requests == []
    assert recorder.store.ids() == []


def test_the_cap_of_a_run_is_never_exceeded_and_the_next_run_goes_on(recorder):
    stopped = recorder.record(usd=0.03)
    assert stopped.stopped.startswith("the cap of $0.03")
    assert 0 < stopped.usd <= 0.03
    first = len(recorder.server.requests)
    assert 0 < first == len(recorder.store.ids()) < QUESTIONS
    rest = recorder.record()
    assert (rest.plan.recorded, rest.asked, rest.stopped) == (first, QUESTIONS - first, None)
    assert len(recorder.server.requests) == QUESTIONS


def test_the_cap_of_a_day_ends_a_run(recorder):
    found = recorder.record(recorder.settings(usd_per_day=0.03), usd=100.0)
    assert "a day" in found.stopped
    assert 0 < found.usd <= 0.03


def test_a_provider_that_is_down_ends_a_run_and_nothing_is_recorded(recorder):
    found = recorder.record(recorder.settings("500", "500"))
    assert "rests until" in found.stopped
    assert found.replies == 0
    assert sum(found.failures.values()) == found.asked < QUESTIONS
    assert recorder.store.ids() == []


@pytest.mark.parametrize("cutoff", ["", "2025-01-01"])
def test_bars_that_a_model_may_know_are_refused_before_anything_is_asked(recorder, cutoff):
    with pytest.raises(RecordingError, match=r'24 questions.*llm\.contaminated = "mark"'):
        recorder.record(recorder.settings(cutoff=cutoff))
    assert recorder.server.requests == []
    marked = recorder.record(recorder.settings(cutoff=cutoff, contaminated="mark"))
    assert marked.plan.knowable == {"good": QUESTIONS}
    assert all(recording.may_know() for recording in recorder.store.read())


def test_an_altered_recording_ends_the_run_before_it_asks(recorder):
    recorder.record()
    path = next(recorder.store.folder.rglob("*.json"))
    path.write_text(path.read_text()[:-40])
    recorder.server.requests.clear()
    with pytest.raises(RecordingError, match="altered"):
        recorder.record()
    assert recorder.server.requests == []


def test_without_a_provider_there_is_nothing_to_ask(recorder):
    with pytest.raises(ArgumentError, match=r"\[llm.technical\]"):
        recorder.record(replace(recorder.settings(), llm=LLMSettings()))
    with pytest.raises(ArgumentError, match="usd"):
        recorder.record(usd=-1.0)
