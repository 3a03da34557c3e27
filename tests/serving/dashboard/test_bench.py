"""The card "Bench" of the page "Models", and the reason on the page "Now"."""

from dataclasses import replace

from quorate.ensemble.inference.bench import BenchSpan
from quorate.ensemble.series.bench_file import bench_path
from quorate.lifecycle.bench import BenchCheck, write_bench
from quorate.lifecycle.bench.member_check import Figure, MemberCheck


def test_who_is_benched_is_shown_with_the_figures(http, service):
    bundles, bundle = service.champion.path, service.champion.predictor.id
    members = service.champion.predictor.newest.members.order
    assert "Run <code>quorate bench check</code>" in http.get("/dashboard/models").text
    figure = Figure(0.034, 0.008, -0.001)
    checks = tuple(MemberCheck(model, figure, figure, figure) for model in members)
    span = BenchSpan(members[0], 0, None, "drifted: skill 3.4% behind the others, limit 0.8%")
    now = service.clock()
    write_bench(bundles, BenchCheck(bundle, checks, (span,), True, now, 14, 0.1, now))
    path = bench_path(bundles, bundle)
    try:
        shown = http.get("/dashboard/models").text
        assert f"benched: {members[0]} since" in shown
        assert shown.count('<span class="mark warn">benched</span>') == 1
        assert shown.count('<span class="mark good">votes</span>') == len(members) - 1
        assert "limit" in shown
        assert f"benched: {span.reason}" in http.get("/dashboard").text
        lacking = tuple(replace(check, skill=None, error=None, behind=None, lacking="too few days") for check in checks)
        write_bench(bundles, BenchCheck(bundle, lacking, (), True, None, 14, 0.1, now))
        shown = http.get("/dashboard/models").text
        assert "nobody is benched" in shown
        assert "too few days" in shown
        path.write_text("{")
        assert "could not read who is benched" in http.get("/dashboard/models").text
    finally:
        path.unlink()  # other tests show the same folder
