"""`quorate demo`: tables, report, and marks of synthetic data."""

import inspect
import json
import re

from quorate.cli.demo import demo
from quorate.workflows.demo import DEFAULT_EDGE

# Features, head and policy as they are by default.
AS_USERS = {
    "QUORATE_TRAIN__FEATURES": "core30",
    "QUORATE_TRAIN__HEAD": "move",
    "QUORATE_POLICY__NAME": "chosen",
    "QUORATE_POLICY__REFIT": "fast",
}


def test_the_command_plants_the_same_edge_as_the_function():
    assert inspect.signature(demo).parameters["edge"].default == DEFAULT_EDGE


def test_demo_prints_one_screen_and_a_half_that_ends_with_the_verdict(quorate_program, tmp_path):
    done = quorate_program("demo", "--out", tmp_path / "demo", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) <= 40
    # A path is never broken: it is there to be copied.
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    assert "\x1b" not in done.stdout  # no colour where it is no terminal
    assert lines[0].startswith("SYNTHETIC MARKET")
    page = tmp_path / "demo" / "report.html"
    assert lines[-1] == f"report {page}"
    assert re.search(r"^\d[\d,]* trades?: ", done.stdout, re.MULTILINE)
    assert "SYNTHETIC" in page.read_text()


def test_demo_finds_a_predictable_edge_and_none_in_a_random_walk(quorate_program, tmp_path):
    def evaluated(edge):
        done = quorate_program("demo", "--out", tmp_path / f"edge{edge}", "--edge", edge, "--json", **AS_USERS)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["synthetic"] is True
        return found["evaluate"]["ensemble"]["rank_ic_ci"], found["evaluate"]["trades"]["net_usd"], found["book"]

    (low, _), net, book = evaluated(0.12)
    assert low > 0.1
    assert net > 0
    # The book finds the trends of single markets, and nothing in its control.
    assert book["planted"]["sharpe_ci"][0] > 2
    assert book["control"]["sharpe_ci"][0] < 0
    # In a random walk with clustered volatility the size of moves is predictable, their sign is not. One interval in
    # twenty misses the 0; none comes near that of the edge.
    (low, _), net, alone = evaluated(0.0)
    assert low < 0.05
    assert net == 0
    assert alone["planted"] is None
    assert alone["control"] == book["control"]
