"""Bundles of trees and a network that vote and stack."""

import pytest

from stubs.explained import make_explained


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """See `make_explained`."""
    return make_explained(tmp_path_factory.mktemp("carded"))
