"""`quorate demo`: tables, report, and marks of synthetic data."""

import inspect
import json

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


def test_demo_prints_all_tables_marked_synthetic(quorate_program, tmp_path):
    done = quorate_program("demo", "--out", tmp_path / "demo", QUORATE_MODELS__NHITS__KEEP="best")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("SYNTHETIC MARKET")
    titles = [line for line in lines if line and not line.startswith(" ")]
    for title in (
        "Members",
        "Cost",
        "Signals",
        "Success criteria",
        "Scores",
        "Return",
        "Trades",
        "Costs",
        "Selection bias",
        "Policies",
        "Decisions",
    ):
        assert any(line.startswith(f"[SYNTHETIC] {title}") for line in titles), title
    # Of the members as they are here, only one keeps the weights that are best on validation rows.
    marked = [line.split()[0] for line in lines if "validation*" in line]
    assert marked == ["nhits"]
    assert "* early stopping used some of these rows, so the figures are optimistic" in lines
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "SYNTHETIC" in page


def test_demo_finds_a_predictable_edge_and_none_in_a_random_walk(quorate_program, tmp_path):
    def evaluated(edge):
        done = quorate_program("demo", "--out", tmp_path / f"edge{edge}", "--edge", edge, "--json", **AS_USERS)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["synthetic"] is True
        return found["evaluate"]["ensemble"]["rank_ic_ci"], found["evaluate"]["trades"]["net_usd"]

    (low, _), net = evaluated(0.12)
    assert low > 0.1
    assert net > 0
    # In a random walk with clustered volatility the size of moves is predictable, their sign is not. One interval in
    # twenty misses the 0; none comes near that of the edge.
    (low, _), net = evaluated(0.0)
    assert low < 0.05
    assert net == 0
