"""`/bench`, and where else the service says that a member is benched."""

import pytest

from quorate.core.clock import now_ms
from quorate.core.errors import DataError
from quorate.ensemble.inference.bench import BenchSpan
from quorate.ensemble.series.bench_file import bench_path
from quorate.lifecycle.bench import BenchCheck, write_bench
from quorate.lifecycle.bench.member_check import Figure, MemberCheck
from quorate.serving.documents.bench import BenchDocument
from quorate.serving.documents.models import Models


@pytest.fixture
def member(http):
    return http.get("/models").json()["models"][1]["model"]


def bench(world, member, *, figures=True):
    """Bench a member of the bundle in use, as a check would."""
    figure = Figure(-0.012, -0.018, 0.02)
    own = MemberCheck(member, figure, figure, figure) if figures else MemberCheck(member, lacking="too few days")
    span = BenchSpan(member, 0, None, "drifted: skill 3.4% behind the others, limit 0.8%")
    moment = now_ms() // 1_000 * 1_000
    check = BenchCheck(world.ids[0], (own,), (span,), True, moment, 14, 0.1, moment)
    write_bench(world.bundles, check)
    return check


def test_nobody_is_benched_in_a_bundle_that_was_never_checked(http):
    answer = http.get("/bench")
    BenchDocument.model_validate_json(answer.content)
    assert answer.json()["headline"] == "nobody is benched"
    assert http.get("/models").json()["mode"] == "full"


@pytest.mark.parametrize("figures", [True, False])
def test_a_benched_member_is_in_every_answer_at_once(http, world, member, figures):
    check = bench(world, member, figures=figures)
    answer = http.get("/bench")
    BenchDocument.model_validate_json(answer.content)
    assert answer.json() == {**check.to_json(), "applied": True}

    models = http.get("/models")
    Models.model_validate_json(models.content)
    assert models.json()["mode"] == "partial"
    reasons = {each["model"]: each["benched"] for each in models.json()["models"]}
    assert reasons[member] == check.spans[0].reason
    assert sum(reason is not None for reason in reasons.values()) == 1

    signals = http.get("/signals").json()
    for signal in signals:
        assert {"model": member, "reason": f"benched: {check.spans[0].reason}"} in signal["abstentions"]
        assert [vote["model"] for vote in signal["benched"]] == [member]
    ready = http.get("/health/ready")
    assert (ready.status_code, ready.json()["mode"]) == (200, "partial")
    assert "quorate_bundle_members_benched 1.0" in http.get("/metrics").text


def test_the_start_says_how_many_vote(make_service, world, caplog):
    bench(world, "lightgbm")
    with caplog.at_level("INFO", logger="quorate"):
        make_service()
    assert "mode PARTIAL 1/2, quorum 2/2" in caplog.text
    assert "lightgbm: benched: drifted: skill 3.4% behind the others" in caplog.text


def test_a_damaged_file_is_no_internal_error(http, world, member):
    bench(world, member)
    bench_path(world.bundles, world.ids[0]).write_text("{")
    answer = http.get("/bench")
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == DataError.__name__
    assert http.get("/signals").status_code == 200
