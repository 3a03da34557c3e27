"""Recorded replies on disk: found by what they answer, unchanged for good, and refused when they were altered."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import DataError, RecordingError
from quorate.core.redaction import register_secret
from quorate.core.types import Action
from quorate.llm import RoleAbstention, RoleReply
from quorate.llm.recordings import Recording, RecordingKey, RecordingStore

CLOSE = parse_ms("2025-06-01T12:00")
KEY = RecordingKey("local", "gemma-3-270m", "5f" * 32, CLOSE)
REPLY = RoleReply("risk", "local", "gemma-3-270m", Action.BUY, 0.875, "rising", "low", "calm", "volume \u20ac")
RECORDING = Recording(
    KEY, "risk", "BTC/USDT:USDT", "1h", '{"direction": "BUY"}', REPLY,
    asked=CLOSE + 90 * 86_400_000, cutoff=CLOSE - HOUR_MS, tokens_in=412, tokens_out=96, usd=0.00125,
)  # fmt: skip
ABSTAINED = replace(RECORDING, raw='{"confidence": 3278}', outcome=RoleAbstention("risk", "confidence 3278"))


@pytest.fixture
def store(tmp_path):
    return RecordingStore(tmp_path / "recordings")


def test_a_recording_is_found_by_what_it_answers(store):
    assert store.get(KEY) is None
    assert store.ids() == []
    assert store.put(RECORDING) == RECORDING
    assert store.get(KEY) == RECORDING
    assert store.load(KEY.digest) == store.load(KEY.digest[:6]) == RECORDING
    for other in (
        replace(KEY, provider="other"), replace(KEY, model="gemma"), replace(KEY, prompt="5e" * 32),
        replace(KEY, close=CLOSE + HOUR_MS),
    ):  # fmt: skip
        assert store.get(other) is None


def test_the_name_is_the_sha256_of_the_key(store):
    text = f'{{"close":{CLOSE},"model":"gemma-3-270m","prompt":"{"5f" * 32}","provider":"local"}}'
    name = hashlib.sha256(text.encode()).hexdigest()
    assert KEY.digest == name
    assert store.path(KEY) == store.folder / name[:2] / f"{name}.json"


def test_an_abstention_keeps_its_reason_and_what_was_received(store):
    store.put(ABSTAINED)
    found = store.get(KEY)
    assert found == ABSTAINED
    assert found.reply is None
    assert found.to_json()["abstained"] == "confidence 3278"


def test_the_first_recording_stays(store):
    store.put(RECORDING)
    assert store.put(ABSTAINED) == RECORDING
    assert store.get(KEY) == RECORDING


@given(raw=st.text(st.characters(codec=None)), tokens=st.integers(0, 10**9), usd=st.floats(0, 1e6))
def test_any_text_that_a_model_may_send_comes_back(tmp_path_factory, raw, tokens, usd):
    store = RecordingStore(tmp_path_factory.mktemp("any"))
    given = replace(RECORDING, raw=raw, tokens_out=tokens, usd=usd)
    found = store.put(given)
    assert found == store.get(KEY)
    # Halves of surrogate pairs, which UTF-8 cannot hold, are replaced; nothing else is.
    whole = raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert found == replace(given, raw=whole)


def test_known_secrets_are_masked(store):
    register_secret("sk-canary-12345")
    spoken = replace(REPLY, reasoning="your key is sk-canary-12345")
    store.put(replace(RECORDING, raw="key sk-canary-12345", outcome=spoken))
    store.put(replace(ABSTAINED, key=replace(KEY, close=0), outcome=RoleAbstention("risk", "401 sk-canary-12345")))
    for file in store.folder.rglob("*.json"):
        assert "canary" not in file.read_text()
        assert "***" in file.read_text()
    assert len(list(store.read())) == 2


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_file_with_one_character_changed_is_refused(store, at):
    store.put(RECORDING)
    path = store.path(KEY)
    content = bytearray(path.read_bytes())
    place = int(len(content) * at)
    content[place] = ord("7") if content[place] != ord("7") else ord("8")
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"truncated or altered.*record again") as refused:
        store.get(KEY)
    assert str(path) in str(refused.value)
    with pytest.raises(RecordingError):
        store.put(RECORDING)
    (error,) = store.read()
    assert isinstance(error, RecordingError)


def test_a_truncated_file_is_refused_at_every_length(store):
    store.put(RECORDING)
    path = store.path(KEY)
    content = path.read_bytes().rstrip()
    for length in range(0, len(content), 40):
        path.write_bytes(content[:length])
        with pytest.raises(RecordingError, match="truncated or altered"):
            store.get(KEY)


def resealed(path, **changed):
    """Change fields of a recording and its checksum with them."""
    document = json.loads(path.read_text())
    document["recording"] |= changed
    content = json.dumps(document["recording"], sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "changed",
    [
        {"reply": {**REPLY.to_json(), "confidence": 3278}},
        {"reply": {**REPLY.to_json(), "confidence": "0.9"}},
        {"reply": {**REPLY.to_json(), "direction": "STRONG_BUY"}},
        {"reply": {**REPLY.to_json(), "role": "technical"}},
        {"reply": {**REPLY.to_json(), "model": "other"}},
        {"reply": None},
        {"abstained": "both"},
        {"close": "2025-06-01T13:00:00Z"},
        {"close": 5},
        {"role": "astrology"},
        {"usd": -1},
        {"tokens_in": 1.5},
        {"timeframe": "1 fortnight"},
        {"raw": None},
    ],
)
def test_values_that_no_recording_has_are_refused_whatever_the_checksum_says(store, changed):
    store.put(RECORDING)
    resealed(store.path(KEY), raw="another text")
    assert store.get(KEY).raw == "another text"
    resealed(store.path(KEY), **changed)
    with pytest.raises(RecordingError, match="altered"):
        store.get(KEY)


def test_a_copy_under_another_name_is_refused(store):
    store.put(RECORDING)
    other = replace(KEY, close=CLOSE + HOUR_MS)
    store.path(other).parent.mkdir(parents=True, exist_ok=True)
    store.path(other).write_bytes(store.path(KEY).read_bytes())
    with pytest.raises(RecordingError, match="another question"):
        store.get(other)


def test_other_files_of_the_folder_are_passed_over(store):
    store.put(RECORDING)
    folder = store.path(KEY).parent
    (folder / f".{KEY.digest}.json.0123456789ab").write_text("left by a killed process")
    (folder / "notes.json").write_text("{}")
    assert store.ids() == [KEY.digest]


@pytest.mark.parametrize("id_", ["", "abc", "f" * 64, "zzzzzz", "../../x"])
def test_an_unknown_or_short_id_is_refused(store, id_):
    store.put(RECORDING)
    with pytest.raises(RecordingError, match="quorate llm show"):
        store.load(id_)


def test_a_pipe_or_a_folder_in_place_of_a_file_is_refused(store):
    path = store.path(KEY)
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(RecordingError, match="pipe"):
        store.get(KEY)
    path.unlink()
    store.folder.joinpath("file").write_text("")
    with pytest.raises(DataError):
        RecordingStore(store.folder / "file").put(RECORDING)


@pytest.mark.parametrize(
    ("asked", "recorded", "stated", "known"),
    [
        # A model that is asked before the next bar closes cannot know it, whatever is stated.
        (CLOSE, None, None, False),
        (CLOSE + HOUR_MS - 1, CLOSE + HOUR_MS, None, False),
        # Later without a stated cutoff: any bar may be known.
        (CLOSE + HOUR_MS, None, None, True),
        # A bar that closes at the cutoff or later is not.
        (CLOSE + HOUR_MS, CLOSE, None, False),
        (CLOSE + HOUR_MS, CLOSE + 1, None, True),
        (CLOSE + HOUR_MS, None, CLOSE, False),
        (CLOSE + HOUR_MS, None, CLOSE + 1, True),
        # The later of two cutoffs counts.
        (CLOSE + HOUR_MS, CLOSE + 1, CLOSE - 1, True),
        (CLOSE + HOUR_MS, CLOSE - 1, CLOSE + 1, True),
        (CLOSE + HOUR_MS, CLOSE - 1, CLOSE - 1, False),
    ],
)
def test_what_a_model_may_know(asked, recorded, stated, known):
    assert replace(RECORDING, asked=asked, cutoff=recorded).may_know(stated) is known


WRITER = """
import sys
from dataclasses import replace
sys.path.insert(0, sys.argv[3])
from test_store import ABSTAINED, CLOSE, HOUR_MS, KEY, RECORDING, RecordingStore
store, mine = RecordingStore(sys.argv[1]), RECORDING if sys.argv[2] == "reply" else ABSTAINED
print("ready", flush=True)
for hour in range(1_000_000):
    store.put(replace(mine, key=replace(KEY, close=CLOSE + hour % int(sys.argv[4]) * HOUR_MS)))
    if hour == int(sys.argv[5]):
        break
"""


def writer(store, kind, keys, last):
    path = str(Path(__file__).parent)
    command = [sys.executable, "-c", WRITER, str(store.folder), kind, path, str(keys), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@pytest.mark.integration
def test_two_writers_leave_one_whole_recording_of_each_key(store):
    both = [writer(store, kind, keys=60, last=60) for kind in ("reply", "abstention")]
    assert [process.wait() for process in both] == [0, 0]
    [process.stdout.close() for process in both]
    found = list(store.read())
    assert len(found) == 60
    assert all(isinstance(recording, Recording) for recording in found)
    assert not list(store.folder.rglob(".*"))


@pytest.mark.integration
def test_a_writer_that_is_killed_leaves_whole_recordings(store):
    for pause_s in (0.0, 0.005, 0.02, 0.05):
        process = writer(store, "reply", keys=1_000_000, last=-1)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert all(isinstance(recording, Recording) for recording in store.read())
    assert store.put(replace(RECORDING, key=replace(KEY, prompt="ab"))).reply == REPLY
    assert store.ids()
