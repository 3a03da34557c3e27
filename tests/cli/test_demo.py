"""The demo, small: the whole way in one command, and every number marked synthetic."""

import json


def test_the_demo_goes_all_the_way_and_marks_what_it_makes(quorate_program, tmp_path):
    done = quorate_program("demo", "--out", tmp_path / "demo")
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
        "Decisions",
        "Symbols",
    ):
        assert any(line.startswith(f"[SYNTHETIC] {title}") for line in titles), title
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "SYNTHETIC" in page


def test_the_demo_finds_the_edge_that_was_planted_and_none_in_a_random_walk(quorate_program, tmp_path):
    def skill(edge):
        done = quorate_program("demo", "--out", tmp_path / f"edge{edge}", "--edge", edge, "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["synthetic"] is True
        return found["evaluate"]["ensemble"]["skill_vs_prior_ci"], found["evaluate"]["trades"]["net_usd"]

    (low, _), _ = skill(0.12)
    assert low > 0.02
    (_, high), net = skill(0.0)
    assert high < 0.02
    assert net <= 0
