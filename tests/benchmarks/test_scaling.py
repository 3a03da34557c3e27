"""The benchmark of scaling: its simulation by hand, and its texts, which are those of its results."""

import json
import sys
from pathlib import Path

import pytest

from quorate.core.types.shards import Shard

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scaling():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import scaling

        yield scaling
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def found():
    return json.loads((ROOT / "benchmarks" / "results" / "scaling.json").read_text())


def test_one_server_answers_one_market_after_another(scaling):
    assert scaling.simulate([2.0], ["A", "B", "C"], 1, 0.0) == (6.0, 4.0)
    # Arrivals at 0, 10 and 20 find it free.
    assert scaling.simulate([2.0], ["A", "B", "C"], 1, 30.0) == (22.0, 12.0)
    # Arrivals at 0, 1 and 2: the second waits until 2, the third until 5.
    assert scaling.simulate([2.0, 3.0, 4.0], ["A", "B", "C"], 1, 3.0) == (9.0, 5.0)


def test_each_server_answers_its_shard(scaling):
    names = [f"C{number}" for number in range(50)]
    sizes = [len(Shard(number, 4).select(names)) for number in range(1, 5)]
    assert scaling.simulate([1.0], names, 4, 0.0)[0] == max(sizes)


def test_the_fewest_servers_are_in_time(scaling):
    needed = scaling.servers_needed([0.01], 10)
    assert needed["servers"] == 1
    needed = scaling.servers_needed([0.05], 5_000)
    assert needed["last_s"] <= scaling.ASSUMED["limit_s"]
    names = [f"M{number:06d}/USDT:USDT" for number in range(5_000)]
    last, _ = scaling.simulate([0.05], names, needed["servers"] - 1, scaling.ASSUMED["arrive_s"])
    assert last > scaling.ASSUMED["limit_s"]


def test_the_texts_are_those_of_the_results(scaling, found):
    assert (ROOT / "benchmarks" / "results" / "scaling.md").read_text() == scaling.as_markdown(found)
    page = (ROOT / "docs" / "scaling.md").read_text()
    assert scaling.with_tables(page, found) == page


def test_predictions_stand_beside_real_runs_of_every_size(found):
    runs = found["runs"]
    assert {run["markets"] for run in runs} == {1_000, 5_000}
    for run in runs:
        assert run["votes"] == 4 * run["markets"]  # no member abstained, so each run did all of the work
