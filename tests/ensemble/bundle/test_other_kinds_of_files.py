"""Named pipes, devices and large files in place of the files of a bundle or a store: refused without reading them."""

import os
import shutil
import signal
import tracemalloc

import pytest

from quorate import load_bundle
from quorate.core.errors import BundleError
from quorate.core.untrusted_json import MOST_BYTES
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.bundle_store import POINTER, BundleStore
from quorate.ensemble.bundle.champion_log import FILE_NAME as HISTORY
from quorate.ensemble.bundle.manifest import FILE_NAME


@pytest.fixture(autouse=True)
def _no_waiting():
    """End a test that waits for a writer of a pipe."""

    def expire(*_):
        raise AssertionError("waited 20 s for a file that has no writer")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def store(world, tmp_path):
    """A store of one bundle, which is its champion."""
    store = BundleStore(tmp_path / "bundles")
    store.publish(*storage.read(world.trained.path))
    return store


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


KINDS = {"a named pipe": pipe, "a device": device}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["xgboost.onnx", "xgboost.ubj", "calibration.json"])
def test_a_file_of_a_bundle_of_another_kind_is_refused(store, name, kind):
    bundle = store.champion()
    manifest = store.manifest(bundle)
    KINDS[kind](store.path(bundle) / name)
    calls = [
        lambda: storage.read_file(store.path(bundle), manifest, name),
        lambda: storage.check_file(store.path(bundle), manifest, name),
        lambda: store.verify(bundle),
        lambda: load_bundle(store.path(bundle)),
    ]
    for call in calls:
        with pytest.raises(BundleError, match=f"{name}.*{kind}, not a regular file"):
            call()


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_of_another_kind_is_refused(store, kind):
    bundle = store.champion()
    KINDS[kind](store.path(bundle) / FILE_NAME)
    for call in (store.manifest, store.verify, store.promote, lambda name: load_bundle(store.path(name))):
        with pytest.raises(BundleError, match=FILE_NAME):
            call(bundle)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        (POINTER, lambda store: store.champion()),
        (POINTER, lambda store: load_bundle(store.folder)),
        (HISTORY, lambda store: store.history()),
        (HISTORY, lambda store: store.rollback()),
        (".lock", lambda store: store.rollback()),
    ],
)
def test_a_file_of_a_store_of_another_kind_is_refused(store, name, call, kind):
    KINDS[kind](store.folder / name)
    with pytest.raises(BundleError, match=f"{kind}, not a regular file"):
        call(store)


def test_a_manifest_above_the_limit_is_refused_before_it_is_read(store):
    bundle = store.champion()
    os.truncate(store.path(bundle) / FILE_NAME, MOST_BYTES + 1)
    for call in (store.manifest, store.verify):
        tracemalloc.start()
        try:
            with pytest.raises(BundleError, match=f"{MOST_BYTES + 1} bytes, more than {MOST_BYTES}"):
                call(bundle)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < MOST_BYTES / 8


def test_files_of_a_bundle_may_be_links(store, tmp_path):
    bundle = store.champion()
    for path in list(store.path(bundle).iterdir()):
        shutil.move(path, tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    assert store.verify(bundle).id == bundle
