"""The store of bundles: champion and log, after kills and with concurrent writers."""

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
from quorate.ensemble.bundle.bundle_store import POINTER, BundleStore
from quorate.ensemble.bundle.champion_log import FILE_NAME as HISTORY
from quorate.ensemble.bundle.champion_log import ChampionLogEntry, champion_lineage, read_history
from quorate.ensemble.bundle.champion_path import champion_path


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


def actions(store):
    return [(line.action, line.id, line.previous) for line in store.history()]


def test_the_first_bundle_becomes_champion_and_later_ones_by_promotion(store, ids):
    a, b, c = ids
    assert store.ids() == tuple(sorted(ids))
    assert store.champion() == a
    assert (store.folder / POINTER).read_text() == f"{a}\n"
    assert champion_path(store.folder) == store.folder / a
    assert champion_path(store.folder / b) == store.folder / b
    assert actions(store) == [("publish", a, None), ("promote", a, None), ("publish", b, a), ("publish", c, a)]
    line = store.promote(b, why="better out of fold", by="bob")
    assert (line.action, line.id, line.previous, line.by, line.why) == ("promote", b, a, "bob", "better out of fold")
    assert store.champion() == b
    assert store.history()[-1] == line
    assert store.promote(b) is None
    assert store.history()[-1] == line


def test_publishing_the_same_content_again_has_no_effect(store, ids, made):
    manifests, files = made
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")}
    path, published = store.publish(manifests[1], files)
    assert (path, published.id) == (store.folder / ids[1], ids[1])
    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")} == before


def test_rollback_returns_to_the_previous_champions_in_order(store, ids):
    a, b, c = ids
    for name in (b, c):
        store.promote(name)
    assert store.rollback(why="losses", by="ann").id == store.champion() == b
    store.promote(c)
    assert [store.rollback().id, store.rollback().id] == [b, a]
    with pytest.raises(BundleError, match=f"no champion before {a}; expected an earlier champion"):
        store.rollback()
    assert store.champion() == a
    assert actions(store)[-5:] == [
        ("promote", c, b), ("rollback", b, c), ("promote", c, b), ("rollback", b, c), ("rollback", a, b),
    ]  # fmt: skip


def test_an_unknown_bundle_is_an_error_with_the_closest_id(store, ids):
    wrong = ids[1][:-1] + ("0" if ids[1][-1] != "0" else "1")
    for call in (store.promote, store.path, store.manifest, store.verify):
        with pytest.raises(BundleError, match=f"Did you mean '{ids[1]}'"):
            call(wrong)
    for name in ("../bundles", "", ".", "champion"):
        with pytest.raises(BundleError, match="no such bundle"):
            store.promote(name)
    assert store.champion() == ids[0]


def test_an_altered_bundle_cannot_become_champion(store, ids):
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


def test_a_bundle_in_the_folder_of_another_is_an_error(store, ids):
    a, b, _ = ids
    shutil.rmtree(store.folder / b)
    shutil.copytree(store.folder / a, store.folder / b)
    for call in (store.verify, store.manifest, store.promote):
        with pytest.raises(BundleError, match=f"the bundle {a} in its place; expected {b}"):
            call(b)


def test_an_invalid_pointer_is_an_error_until_a_bundle_is_promoted(store, ids, made):
    for text in (b"0123456789abcdef\n", b"", b"\xff\xfe"):
        (store.folder / POINTER).write_bytes(text)
        for call in (store.champion, lambda: champion_path(store.folder), lambda: store.publish(made[0][3], made[1])):
            with pytest.raises(BundleError, match="Set the champion again"):
                call()
        store.promote(ids[2])
        assert store.champion() == ids[2]
        assert store.rollback().id == ids[0]
    (store.folder / POINTER).unlink()
    (store.folder / POINTER).mkdir()
    with pytest.raises(BundleError, match="champion"):
        store.champion()
    with pytest.raises(BundleError, match="champion"):
        store.promote(ids[1])


def test_folders_that_are_missing_or_not_writable_are_errors(tmp_path, made):
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


def test_an_unreadable_manifest_is_an_error_that_names_the_bundle(store, ids):
    path = store.folder / ids[1] / storage.FILE_NAME
    path.unlink()
    path.mkdir()
    with pytest.raises(BundleError, match=ids[1]):
        store.manifest(ids[1])


def test_a_log_that_cannot_be_read_is_an_error(store, ids):
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


def test_an_incomplete_last_line_is_ignored_and_truncated(store, ids):
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
def test_the_lineage_is_a_stack_that_ignores_interrupted_changes(steps):
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
    assert champion_lineage(tuple(lines)) == tuple(stack)
    assert champion_lineage((ChampionLogEntry("", "interrupted", "a", None, "", ""),)) == ()


def kill_after(calls, folder, statements):
    """Run statements on the store in a process that is killed at its n-th flush to disk, if it gets that far."""
    code = f"""
import os, signal
from pathlib import Path
from quorate.ensemble.bundle import bundle_files as bundle
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.champion_path import champion_path
left, real = {calls}, os.fsync
def fsync(descriptor):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
os.fsync = fsync
store = BundleStore(Path({str(folder)!r}))
{statements}
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_kill_during_promote_leaves_the_old_or_the_new_champion(store, ids, tmp_path):
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
    # Until the rename it is the old champion, from then on the new one; the last run is not killed.
    assert seen[0] == (-9, False)
    assert (-9, False) in seen[1:]
    assert seen[-1] == (0, True)


def test_a_kill_during_publish_leaves_the_champion_and_complete_bundles(store, ids, made, world, tmp_path):
    statements = f"""
from dataclasses import replace
manifest, files = bundle.read(Path({str(world.trained.path)!r}))
store.publish(replace(manifest, rows={{**manifest.rows, "edition": 3}}), files)
"""
    codes = []
    for calls in range(0, 12, 2):
        folder = tmp_path / f"kill-{calls}"
        shutil.copytree(store.folder, folder)
        again = BundleStore(folder)
        done = kill_after(calls, folder, statements)
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


def test_concurrent_writers_are_serialised_and_readers_see_complete_bundles_only(world, made, tmp_path):
    folder = tmp_path / "bundles"
    code = f"""
import sys
from dataclasses import replace
from pathlib import Path
from quorate.ensemble.bundle import bundle_files as bundle
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.champion_path import champion_path
manifest, files = bundle.read(Path({str(world.trained.path)!r}))
store = BundleStore(Path({str(folder)!r}))
for number in range(6):
    edition = (int(sys.argv[1]) * 3 + number) % 9
    _, published = store.publish(replace(manifest, rows={{**manifest.rows, "edition": edition}}), files)
    store.promote(published.id)
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
    assert champion_lineage(lines)[-1] == store.champion()
    # Entries are written under the lock: each names the champion of the one before.
    promotions = [line for line in lines if line.action == "promote"]
    assert [line.previous for line in promotions[1:]] == [line.id for line in promotions[:-1]]


def test_concurrent_publications_of_the_same_content_agree(made, tmp_path, monkeypatch):
    """The other process renames its folder between the check and the rename of this one."""
    manifests, files = made
    path, published = storage.publish(tmp_path, manifests[0], files)
    shutil.move(path, tmp_path / "aside")

    def other_process(descriptor):
        if not path.exists():
            shutil.copytree(tmp_path / "aside", path)

    monkeypatch.setattr(os, "fsync", other_process)
    assert storage.publish(tmp_path, manifests[0], files) == (path, published)
    assert not list(tmp_path.glob(".draft-*"))
    assert storage.read(path)[0].id == published.id


def test_an_empty_log(tmp_path):
    assert read_history(tmp_path) == ()
    assert champion_lineage(()) == ()


def test_a_bundle_that_is_removed_is_gone_and_on_record(store, ids):
    a, b, c = ids
    store.remove(b, why="old", by="me")
    assert set(store.ids()) == {a, c}
    assert not list(store.folder.glob(".draft-*"))
    entry = store.history()[-1]
    assert (entry.action, entry.id, entry.previous, entry.by, entry.why) == ("remove", b, a, "me", "old")
    assert store.champion() == a
    with pytest.raises(BundleError, match="no such bundle"):
        store.remove(b)


def test_the_champion_is_not_removed(store, ids):
    with pytest.raises(BundleError, match="found the champion"):
        store.remove(ids[0])
    assert set(store.ids()) == set(ids)


def test_a_bundle_that_was_removed_is_no_champion_to_return_to(store, ids):
    a, b, _ = ids
    store.promote(b)
    store.remove(a)
    with pytest.raises(BundleError, match="no such bundle"):
        store.rollback()
    assert store.champion() == b
    assert champion_lineage(store.history()) == (a, b)


def test_what_a_killed_removal_left_is_removed_by_the_next_writer(store, ids, made):
    # Renamed, and killed before its files were removed.
    storage.remove(store.path(ids[2]))
    assert set(store.ids()) == set(ids[:2])
    left = list(store.folder.glob(".draft-*"))
    assert len(left) == 1
    manifests, files = made
    store.publish(manifests[2], files)
    assert set(store.ids()) == set(ids)
    assert not left[0].exists()
