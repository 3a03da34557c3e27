"""The card "Drift" of the page "Models"."""

from dataclasses import replace

from quorate.evaluation.drift.stored_check import write_check
from stubs.drift_checks import DRIFTING


def test_the_newest_check_is_shown_with_its_age(http, service):
    bundles, bundle = service.champion.path, service.champion.predictor.id
    assert "Never checked" in http.get("/dashboard/models").text
    path = write_check(bundles, replace(DRIFTING, bundle=bundle, checked_at=service.clock() - 7_200_000))
    shown = http.get("/dashboard/models").text
    assert DRIFTING.headline in shown
    assert "rsi_14" in shown
    assert "checked 2 h" in shown
    path.write_text("{")
    assert "could not read the check for drift" in http.get("/dashboard/models").text
    path.unlink()  # other tests show the same folder
