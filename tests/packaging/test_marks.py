"""Unit and integration tests, told apart by the root conftest.py."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTEGRATION = runpy.run_path(str(ROOT / "conftest.py"))["INTEGRATION"]


@pytest.mark.parametrize("place", INTEGRATION)
def test_places_of_integration_tests_exist(place):
    assert (ROOT / "tests" / place).exists()


def test_this_test_is_an_integration_test(request):
    marks = {mark.name for mark in request.node.iter_markers()}
    assert "integration" in marks
    assert "unit" not in marks
