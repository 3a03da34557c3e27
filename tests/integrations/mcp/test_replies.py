"""The published schemas hold for the stored documents of the command line, of every recipe and policy."""

import json
from pathlib import Path

import pytest

from quorate.integrations.mcp.replies import BundleReply, EntryReply, SignalReply, StatusReply

GOLDEN = Path(__file__).parents[2] / "golden"
# Keys that only some recipes or policies have.
OPTIONAL = {"predicted_return", "closed_because"}


def document(file, name):
    return json.loads((GOLDEN / f"{file}.json").read_text())[name]["document"]


def check(model, found):
    model.model_validate(found, strict=True)
    named = set(model.model_fields)
    assert {name for name, field in model.model_fields.items() if field.is_required()} <= set(found) <= named | OPTIONAL


@pytest.mark.parametrize("file", ["vote", "stack", "series"])
def test_signals(file):
    for signal in document(file, "signal"):
        check(SignalReply, signal)
    assert ("predicted_return" in document(file, "signal")[0]) == (file == "stack")


@pytest.mark.parametrize("file", ["vote", "series"])
def test_bundles(file):
    for bundle in document(file, "bundles"):
        check(BundleReply, bundle)


def test_a_bundle_that_cannot_be_read():
    check(BundleReply, {"id": "a", "champion": False, "published": None, "error": "altered"})


def test_the_journal():
    listed = document("paper", "journal")
    entries = list(listed["long list"]["elements"].values()) if isinstance(listed, dict) else listed
    assert entries
    for entry in entries:
        check(EntryReply, entry)


@pytest.mark.parametrize("name", ["halted", "status"])
def test_the_status(name):
    check(StatusReply, document("paper", name))
