"""The token: made once, stored as a hash only, compared in constant time, complete or absent after a kill."""

import hmac
import json
import logging
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import AccessError, DataError
from quorate.core.redaction import redact
from quorate.serving.access.token import TOKEN, TokenCheck, TokenStore, digest_of, read_hash, read_token


def check_of(store):
    return TokenCheck(store.path, read_hash)


def test_a_token_is_made_once_and_stored_as_a_hash(tmp_path):
    store = TokenStore(tmp_path / "state")
    token = store.create()
    assert TOKEN.fullmatch(token)
    assert token.startswith("quorate_")
    assert store.create() is None
    assert check_of(store).is_right(token)
    stored = store.path.read_text()
    assert token not in stored
    assert token.removeprefix("quorate_") not in stored
    assert json.loads(stored).keys() == {"version", "sha256", "made"}
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert [path.name for path in store.folder.iterdir()] == ["token.json"]


def test_tokens_are_random(tmp_path):
    made = [TokenStore(tmp_path / str(number)).create().removeprefix("quorate_") for number in range(20)]
    assert len(set(made)) == 20
    assert all(len(token) == 43 for token in made)  # 256 bits, 6 to a letter


def test_of_many_starts_at_once_one_makes_the_token(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = [token for token in pool.map(lambda _: TokenStore(tmp_path).create(), range(16)) if token]
    assert len(made) == 1
    assert check_of(TokenStore(tmp_path)).is_right(made[0])


def test_a_new_token_ends_the_one_before_without_a_restart(tmp_path):
    store = TokenStore(tmp_path)
    first = store.create()
    check = check_of(store)
    assert check.is_right(first)
    second = store.rotate()
    assert not check.is_right(first)
    assert check.is_right(second)
    store.path.unlink()
    assert not check.is_right(second)
    assert check.digest() is None


def test_a_rotation_repairs_a_file_that_cannot_be_used(tmp_path):
    store = TokenStore(tmp_path)
    store.create()
    store.path.write_text("half of")
    store.path.chmod(0o644)
    token = store.rotate()
    assert check_of(store).is_right(token)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "mode", "found"),
    [
        ("", 0o600, "damaged"),
        ("{", 0o600, "damaged"),
        ("[]", 0o600, "damaged"),
        ('{"version": 1}', 0o600, "damaged"),
        ('{"version": 1, "sha256": "zz"}', 0o600, "damaged"),
        ('{"version": 1, "sha256": 5}', 0o600, "damaged"),
        ('{"version": 1, "sha256": "00", "made": ""}', 0o600, "another version"),
        (json.dumps({"version": 2, "sha256": "00" * 32, "made": ""}), 0o600, "another version"),
        (json.dumps({"version": 1, "sha256": "00" * 32}), 0o640, "the mode 640"),
        (json.dumps({"version": 1, "sha256": "00" * 32}), 0o602, "the mode 602"),
    ],
)
def test_a_file_that_cannot_be_used_gives_nobody_access(tmp_path, content, mode, found, caplog):
    store = TokenStore(tmp_path)
    token = store.create()
    check = check_of(store)
    assert check.is_right(token)
    store.path.write_text(content)
    store.path.chmod(mode)
    with pytest.raises(AccessError, match=found):
        read_hash(store.path)
    with caplog.at_level(logging.ERROR):
        assert not check.is_right(token)
        assert not check.is_right(token)
    assert len(caplog.records) == 1  # once


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(DataError, match=str(tmp_path / "state")):
        TokenStore(tmp_path / "state").create()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A token of one's own, and what checks it."""
    path = tmp_path_factory.mktemp("own") / "token"
    path.write_text("quorate_" + "Zz0_-9yYxX" * 4)
    return path.read_text(), TokenCheck(path, read_token)


@given(st.text(max_size=80))
def test_no_other_text_is_the_token(own, text):
    right, check = own
    assert check.is_right(text) is (text == right)


@given(st.integers(0, 47), st.characters())
def test_a_token_with_another_letter_is_not_the_token(own, place, letter):
    right, check = own
    other = right[:place] + letter + right[place + 1 :]
    assert check.is_right(other) is (other == right)


def test_tokens_are_compared_in_constant_time(tmp_path, monkeypatch):
    compared = []

    def spy(given, right):
        compared.append((given, right))
        return compare(given, right)

    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", spy)
    store = TokenStore(tmp_path)
    token = store.create()
    check = check_of(store)
    assert check.is_right(token)
    assert not check.is_right("x" * 50)
    assert compared == [(digest_of(token), digest_of(token)), (digest_of("x" * 50), digest_of(token))]


def test_a_token_that_was_used_is_removed_from_texts(tmp_path):
    store = TokenStore(tmp_path)
    token = store.create()
    assert check_of(store).is_right(token)
    assert token not in redact(f"failed with the header {token} and {token.encode().hex()}")


@pytest.mark.parametrize("content", ["short", "a" * 64, "x" * 20 + " " + "y" * 20, "ä" * 40, "", "\0" * 64])
def test_a_token_of_ones_own_must_be_random_and_is_in_no_error(tmp_path, content):
    path = tmp_path / "own"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(AccessError, match="openssl rand -hex 32") as error:
        read_token(path)
    if content:
        assert content not in str(error.value)


def test_a_token_of_ones_own_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "own"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    check = TokenCheck(path, read_token)
    assert check.is_right("0123456789abcdef0123456789abcdef")
    path.write_text("ABCDEF0123456789ABCDEF0123456789-new\n")
    assert not check.is_right("0123456789abcdef0123456789abcdef")
    assert check.is_right("ABCDEF0123456789ABCDEF0123456789-new")


# Kills itself at the n-th operation on a file, for each n, until the operation completes.
KILLED = """
import os, signal, sys
from pathlib import Path
from quorate.serving.access.token import TokenStore, read_hash

EVENTS = {"open", "os.rename", "os.chmod", "os.mkdir", "os.remove", "os.scandir", "os.listdir"}
root, verb = Path(sys.argv[1]), sys.argv[2]
armed, left = False, 0

def hook(event, _):
    global left
    if armed and event in EVENTS:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
number, kills, absent = 0, 0, 0
while True:
    store = TokenStore(root / str(number))
    before = None
    if verb == "rotate":
        store.create()
        before = read_hash(store.path)
    child = os.fork()
    if child == 0:
        armed, left = True, number
        getattr(store, verb)()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if store.path.exists():
        assert read_hash(store.path)
        assert (store.path.stat().st_mode & 0o777) == 0o600
    else:
        assert before is None, "a rotation lost the token"
        absent += 1
    for path in store.folder.glob("*") if store.folder.exists() else ():
        assert path.name == "token.json" or path.name.startswith(".token.json."), path
    token = store.rotate()
    assert read_hash(store.path)
    if status == 0:
        break
    kills += 1
    number += 1
print(kills, absent)
"""


@pytest.mark.parametrize(("verb", "least_absent"), [("create", 3), ("rotate", 0)])
@pytest.mark.integration
def test_after_a_kill_at_any_step_there_is_no_token_or_a_complete_one(tmp_path, verb, least_absent):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), verb], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kills, absent = map(int, done.stdout.split())
    assert kills >= 6
    assert absent >= least_absent
