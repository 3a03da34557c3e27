"""The evidence of bundles and folds as a document and as a table."""

import numpy as np
import pytest

from quorate.ensemble.evidence.evidence import Candidate, Requirements, judge
from quorate.evaluation.metrics.policy_evidence import evidence_of
from quorate.evaluation.report.evidence_table import evidence_table


def report(mean, seed=1, name="calibrated from 0.0 bps and 50.0%", count=14):
    random = np.random.default_rng(seed)
    made = [Candidate("classic", "classic", np.full(60, np.nan), 0, 0)]
    made += [
        Candidate("calibrated", f"{name} {place}", random.normal(mean, 0.002, 60), 200, 60) for place in range(count)
    ]
    return {"evidence": judge(made, Requirements(30, 50, "both"), 7).to_json()}


def test_a_bundle_has_the_rows_of_its_evidence():
    one = report(0.001)
    found = evidence_of({"": one})
    assert found["verdicts"] == [one["evidence"]["text"]]
    assert len(found["table"]) == 10
    table = evidence_table({"evidence": found})
    assert table.columns == ("candidate", "days", "signals", "BUY", "net a day", "needed above", "verdict")
    classic, *_ = table.rows
    assert [cell.text for cell in classic] == [
        "classic", "0", "0", "n/a", "n/a", "+0.0 bps", "signals on 0 days, of at least 30",
    ]  # fmt: skip
    (best,) = [row for row in table.rows if row[-1].text == "acts"]
    assert best[3].text == "30.0 %"
    net = next(row for row in found["table"] if row["verdict"] == "acts")
    assert best[4].text == f"{net['net_bps']:+.1f} bps"
    assert best[4].interval == f"{net['lower_bps']:+.1f} to {net['upper_bps']:+.1f} bps"


def test_folds_have_a_row_each_of_their_best():
    reports = {f"fold {place}": report(0.001 * (place - 1), seed=place) for place in range(1, 13)}
    found = evidence_of(reports)
    assert len(found["table"]) == 10
    assert found["table"][0]["candidate"].startswith("fold 1: calibrated")
    assert {row["verdict"] for row in found["table"]} == {"best", "acts"}
    assert len(found["verdicts"]) == 12
    # A fold without a candidate that could be judged shows its first.
    nothing = evidence_of({"fold 1": report(0.001, count=0), "fold 2": reports["fold 3"]})
    assert nothing["table"][0]["candidate"] == "fold 1: classic"


@pytest.mark.parametrize("reports", [{}, {"": {}}, {"": {"evidence": {"text": "closed: no row", "table": []}}}])
def test_without_evidence_there_is_no_table(reports):
    assert evidence_of(reports) is None
    assert evidence_table({}).rows == ()
