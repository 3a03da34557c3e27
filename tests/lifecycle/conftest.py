"""Bundles on small synthetic markets, and a receiver of messages."""

import shutil

import pytest

from stubs.arena import make_arena
from stubs.explained import make_explained
from stubs.watched import make_watched
from stubs.webhook_receiver import receiving


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Bundles to explain; see `make_explained`."""
    return make_explained(tmp_path_factory.mktemp("explained"))


@pytest.fixture(scope="session")
def arena(tmp_path_factory):
    """Two bundles of trees for challenges; see `make_arena`."""
    return make_arena(tmp_path_factory.mktemp("arena"))


@pytest.fixture(scope="session")
def watched(tmp_path_factory):
    """A market with an edge, and a bundle with a reference; see `make_watched`."""
    return make_watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture
def bundles(watched, tmp_path):
    """A copy of the folder of the watched bundle that a test may change."""
    shutil.copytree(watched.folder, tmp_path / "bundles")
    return tmp_path / "bundles"


@pytest.fixture
def receiver(monkeypatch):
    """A server that keeps the messages of the webhook; see `Receiver`."""
    with receiving() as server:
        monkeypatch.setenv("QUORATE_WEBHOOK", server.url)
        yield server
