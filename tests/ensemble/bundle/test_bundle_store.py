"""The folder of bundles: who is champion, how it came to be, and that no crash and no neighbour can muddle it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.errors import BundleError
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.bundle_store import POINTER, BundleStore, champion_path
from quorate.ensemble.bundle.champion_log import FILE_NAME as HISTORY
from quorate.ensemble.bundle.champion_log import ChampionLogEntry, read_history, reigns


@pytest.fixture
def made(world):
    """Four manifests that differ in a number, and their files."""
    manifest, files = storage.read(world.trained.path)
    return [replace(manifest, rows={**manifest.rows, "edition": number}) for number in range(4)], files


@pytest.fixture
def store(tmp_path, made):
    """A store of three bundles, the first of them champion."""
    store = BundleStore(tmp_path / "bundles")
    manifests, files = made
    for manifest in manifests[:3]:
        store.publish(manifest, files, why="trained", by="ann")
    return store


@pytest.fixture
def ids(store):
    return [line.id for line in store.history() if line.action == "publish"]


def deeds(store):
    return [(line.action, line.id, line.previous) for line in store.history()]


def test_the_first_bundle_is_champion_and_a_later_one_only_when_promoted(store, ids):
    a, b, c = ids
    assert store.ids() == tuple(sorted(ids))
    assert store.champion() == a
    assert (store.folder / POINTER).read_text() == f"{a}\n"
    assert champion_path(store.folder) == store.folder / a
    assert champion_path(store.folder / b) == store.folder / b
    assert deeds(store) == [("publish", a, None), ("promote", a, None), ("publish", b, a), ("publish", c, a)]
    line = store.promote(b, why="better out of fold", by="bob")
    assert (line.action, line.id, line.previous, line.by, line.why) == ("promote", b, a, "bob", "better out of fold")
    assert store.champion() == b
    assert store.history()[-1] == line
    assert store.promote(b) is None
    assert store.history()[-1] == line


def test_publishing_the_same_again_changes_nothing(store, ids, made):
    manifests, files = made
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")}
    path, sealed = store.publish(manifests[1], files)
    assert (path, sealed.id) == (store.folder / ids[1], ids[1])
    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")} == before


def test_rollback_goes_back_champion_by_champion(store, ids):
    a, b, c = ids
    for name in (b, c):
        store.promote(name)
    assert store.rollback(why="losses", by="ann").id == store.champion() == b
    store.promote(c)
    assert [store.rollback().id, store.rollback().id] == [b, a]
    with pytest.raises(BundleError, match=f"no champion before {a}; expected an earlier one"):
        store.rollback()
    assert store.champion() == a
    assert deeds(store)[-5:] == [
        ("promote", c, b), ("rollback", b, c), ("promote", c, b), ("rollback", b, c), ("rollback", a, b),
    ]  # fmt: skip


def test_an_unknown_bundle_is_refused_with_the_close_match(store, ids):
    wrong = ids[1][:-1] + ("0" if ids[1][-1] != "0" else "1")
    for ask in (store.promote, store.path, store.manifest, store.verify):
        with pytest.raises(BundleError, match=f"Did you mean '{ids[1]}'"):
            ask(wrong)
    for name in ("../bundles", "", ".", "champion"):
        with pytest.raises(BundleError, match="no such bundle"):
            store.promote(name)
    assert store.champion() == ids[0]


def test_a_bundle_that_does_not_verify_is_neither_promoted_nor_rolled_back_to(store, ids):
    a, b, _ = ids
    path = store.folder / b / "xgboost.onnx"
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    with pytest.raises(BundleError, match=r"xgboost\.onnx altered"):
        store.promote(b)
    assert store.champion() == a
    path.write_bytes(sound)
    store.promote(b)
    (store.folder / a / "lightgbm.txt").unlink()
    with pytest.raises(BundleError, match=r"lightgbm\.txt missing"):
        store.rollback()
    assert store.champion() == b


def test_a_bundle_in_another_ones_place_is_refused(store, ids):
    a, b, _ = ids
    shutil.rmtree(store.folder / b)
    shutil.copytree(store.folder / a, store.folder / b)
    for ask in (store.verify, store.manifest, store.promote):
        with pytest.raises(BundleError, match=f"the bundle {a} in its place; expected {b}"):
            ask(b)


def test_a_pointer_to_nothing_is_refused_until_it_is_named_again(store, ids, made):
    for text in (b"0123456789abcdef\n", b"", b"\xff\xfe"):
        (store.folder / POINTER).write_bytes(text)
        for ask in (store.champion, lambda: champion_path(store.folder), lambda: store.publish(made[0][3], made[1])):
            with pytest.raises(BundleError, match="Name the champion again"):
                ask()
        store.promote(ids[2])
        assert store.champion() == ids[2]
        assert store.rollback().id == ids[0]
    (store.folder / POINTER).unlink()
    (store.folder / POINTER).mkdir()
    with pytest.raises(BundleError, match="champion"):
        store.champion()
    with pytest.raises(BundleError, match="champion"):
        store.promote(ids[1])


def test_a_folder_that_is_none_or_cannot_be_written(tmp_path, made):
    manifests, files = made
    with pytest.raises(BundleError, match="no such folder"):
        BundleStore(tmp_path / "nowhere").ids()
    assert BundleStore(tmp_path / "nowhere").champion() is None
    assert champion_path(tmp_path / "nowhere") == tmp_path / "nowhere"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BundleError, match="Nothing was changed"):
        BundleStore(tmp_path / "file" / "bundles").publish(manifests[0], files)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match="there is none"):
        BundleStore(tmp_path / "empty").promote("0123456789abcdef")
    with pytest.raises(BundleError, match="no champion yet"):
        BundleStore(tmp_path / "empty").rollback()


def test_a_manifest_that_cannot_be_read_is_named(store, ids):
    path = store.folder / ids[1] / storage.FILE_NAME
    path.unlink()
    path.mkdir()
    with pytest.raises(BundleError, match=ids[1]):
        store.manifest(ids[1])


def test_history_that_cannot_be_read_or_written_is_refused(store, ids):
    path = store.folder / HISTORY
    sound = path.read_bytes()
    for line, words in ((b"no json\n", "line 5"), (b'{"time": 1}\n', "line 5"), (b"[]\n", "line 5")):
        path.write_bytes(sound + line)
        with pytest.raises(BundleError, match=words):
            store.history()
    odd = json.dumps({**store_line(sound), "action": "abdicate"}).encode() + b"\n"
    path.write_bytes(sound + odd)
    with pytest.raises(BundleError, match="line 5: action 'abdicate'"):
        store.history()
    path.unlink()
    path.mkdir()
    with pytest.raises(BundleError, match=HISTORY):
        store.history()
    assert store.champion() == ids[0]


def store_line(text):
    return json.loads(text.splitlines()[0])


def test_the_unfinished_end_of_a_line_does_not_count_and_is_cut_off(store, ids):
    path = store.folder / HISTORY
    before = store.history()
    with path.open("ab") as file:
        file.write(b'{"time": "2026-')
    assert store.history() == before
    line = store.promote(ids[1])
    assert store.history() == (*before, line)


names = st.sampled_from("abcd")


@settings(max_examples=100)
@given(st.lists(st.tuples(st.booleans(), names, st.booleans()), max_size=12))
def test_reigns_are_a_stack_on_which_an_interrupted_change_leaves_no_trace(steps):
    stack, lines = [], []
    for back, name, interrupted in steps:
        if back and len(stack) < 2:
            continue
        lines.append(ChampionLogEntry("", "rollback" if back else "promote", stack[-2] if back else name, None, "", ""))
        if interrupted:
            lines.append(ChampionLogEntry("", "interrupted", lines[-1].id, None, "", ""))
        elif back:
            stack.pop()
        else:
            stack.append(name)
        lines.append(ChampionLogEntry("", "publish", name, None, "", ""))
    assert reigns(tuple(lines)) == tuple(stack)
    assert reigns((ChampionLogEntry("", "interrupted", "a", None, "", ""),)) == ()


def kill_after(calls, folder, deed):
    """A process that does `deed` to the store and is killed at its n-th flush to disk; None when it got through."""
    code = f"""
import os, signal
from pathlib import Path
from quorate.ensemble.bundle import bundle_files as bundle
from quorate.ensemble.bundle.bundle_store import BundleStore
left, real = {calls}, os.fsync
def fsync(descriptor):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
os.fsync = fsync
store = BundleStore(Path({str(folder)!r}))
{deed}
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_kill_anywhere_in_promote_leaves_one_of_the_two_and_then_all_works_again(store, ids, tmp_path):
    a, b, c = ids
    seen = []
    for calls in range(8):
        folder = tmp_path / f"kill-{calls}"
        shutil.copytree(store.folder, folder)
        again = BundleStore(folder)
        done = kill_after(calls, folder, f"store.promote({b!r})")
        seen.append((done.returncode, again.champion() == b))
        assert done.returncode in (0, -9), done.stderr
        assert again.champion() in (a, b)
        again.verify(again.champion())
        kept = again.champion()
        again.promote(c)
        assert again.rollback().id == kept
        if kept == a:
            interrupted = [line for line in again.history() if line.action == "interrupted"]
            assert len(interrupted) == sum(line.id == b and line.action == "promote" for line in again.history())
        if done.returncode == 0:
            break
    # Killed in the middle it is the old one; from the rename on it is the new one; and one run got through.
    assert seen[0] == (-9, False)
    assert (-9, False) in seen[1:]
    assert seen[-1] == (0, True)


def test_a_kill_anywhere_in_publish_leaves_the_champion_and_whole_bundles(store, ids, made, world, tmp_path):
    deed = f"""
from dataclasses import replace
manifest, files = bundle.read(Path({str(world.trained.path)!r}))
store.publish(replace(manifest, rows={{**manifest.rows, "edition": 3}}), files)
"""
    codes = []
    for calls in range(0, 12, 2):
        folder = tmp_path / f"kill-{calls}"
        shutil.copytree(store.folder, folder)
        again = BundleStore(folder)
        done = kill_after(calls, folder, deed)
        codes.append(done.returncode)
        assert done.returncode in (0, -9), done.stderr
        assert again.champion() == ids[0]
        assert len(again.ids()) in (3, 4)
        for name in again.ids():
            again.verify(name)
        again.publish(made[0][3], made[1])
        assert len(again.ids()) == 4
        assert not list(folder.glob(".draft-*"))
        if done.returncode == 0:
            break
    assert codes[0] == -9
    assert codes[-1] == 0


def test_writers_in_other_processes_take_turns_and_readers_see_whole_bundles_only(world, made, tmp_path):
    folder = tmp_path / "bundles"
    code = f"""
import sys
from dataclasses import replace
from pathlib import Path
from quorate.ensemble.bundle import bundle_files as bundle
from quorate.ensemble.bundle.bundle_store import BundleStore
manifest, files = bundle.read(Path({str(world.trained.path)!r}))
store = BundleStore(Path({str(folder)!r}))
for number in range(6):
    edition = (int(sys.argv[1]) * 3 + number) % 9
    _, sealed = store.publish(replace(manifest, rows={{**manifest.rows, "edition": edition}}), files)
    store.promote(sealed.id)
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(n)], stderr=subprocess.PIPE) for n in range(3)]
    store, champions = BundleStore(folder), set()
    while any(writer.poll() is None for writer in writers):
        if folder.is_dir() and (champion := store.champion()) is not None:
            champions.add(storage.read(champion_path(folder))[0].id)
            assert champion in store.ids()
            store.history()
    assert [writer.communicate()[1] for writer in writers] == [b""] * 3
    assert [writer.returncode for writer in writers] == [0] * 3
    assert len(store.ids()) == 9
    assert champions <= set(store.ids())
    lines = store.history()
    assert sum(line.action == "publish" for line in lines) == 9
    assert not any(line.action == "interrupted" for line in lines)
    assert reigns(lines)[-1] == store.champion()
    # Each line was written under the lock: it names the champion of the line before it.
    crowned = [line for line in lines if line.action == "promote"]
    assert [line.previous for line in crowned[1:]] == [line.id for line in crowned[:-1]]


def test_two_processes_that_publish_the_same_content_without_a_store_agree(made, tmp_path, monkeypatch):
    """The other one's rename comes between this one's look and its own rename."""
    manifests, files = made
    path, sealed = storage.publish(tmp_path, manifests[0], files)
    shutil.move(path, tmp_path / "aside")

    def meanwhile(descriptor):
        if not path.exists():
            shutil.copytree(tmp_path / "aside", path)

    monkeypatch.setattr(os, "fsync", meanwhile)
    assert storage.publish(tmp_path, manifests[0], files) == (path, sealed)
    assert not list(tmp_path.glob(".draft-*"))
    assert storage.read(path)[0].id == sealed.id


def test_an_empty_history_is_none(tmp_path):
    assert read_history(tmp_path) == ()
    assert reigns(()) == ()
