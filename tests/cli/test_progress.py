"""Lines of progress where standard error is no terminal."""

import io

import pytest
from rich.console import Console

from quorate.cli.output import StageProgress


@pytest.fixture
def shown():
    text, clock = io.StringIO(), [0.0]
    return StageProgress(Console(file=text, width=200), lambda: clock[0]), clock, text


def test_every_twenty_seconds_a_line_has_the_time_left_of_the_stage(shown):
    progress, clock, text = shown
    progress("a", 0, 10)
    clock[0] = 19.0
    progress("a", 1, 10)
    clock[0] = 30.0
    progress("a", 2, 10)
    progress("a", 10, 10)
    assert text.getvalue().splitlines() == ["a: 2/10, about 2 min 00 s left", "a: 10/10"]


def test_the_time_left_of_the_whole_run_is_preferred(shown):
    progress, clock, text = shown
    progress("a", 0, 10)
    progress.remaining(754.6)
    clock[0] = 30.0
    progress("a", 2, 10)
    assert text.getvalue().splitlines() == ["a: 2/10, about 12 min 35 s left"]


def test_what_slows_the_run_is_printed(shown):
    progress, _, text = shown
    progress.slowed("this run is slowed down: others use 1.6 of 2 cores")
    assert text.getvalue() == "WARNING this run is slowed down: others use 1.6 of 2 cores\n"
