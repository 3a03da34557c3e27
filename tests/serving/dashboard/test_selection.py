"""The card "Selection" of the page "Models"."""

from dataclasses import replace

import pytest

from quorate.core.settings import SelectSettings
from quorate.ensemble.selection import Membership, Term
from quorate.ensemble.series.selection_file import selection_path
from quorate.lifecycle.selection import SelectionCheck
from quorate.lifecycle.selection.selection_check import SelectedMember
from quorate.lifecycle.selection.stored_selection import write_selection


@pytest.fixture(name="one_votes")
def _one_votes(service, monkeypatch):
    monkeypatch.setattr(service, "settings", replace(service.settings, select=SelectSettings(size=1)))


def test_without_a_selection_there_is_no_card(http):
    assert 'id="selection"' not in http.get("/dashboard/models").text


@pytest.mark.usefixtures("one_votes")
def test_who_votes_is_shown_with_what_each_member_adds(http, service):
    bundles, bundle = service.champion.path, service.champion.predictor.id
    first, second = service.champion.predictor.newest.members.order[:2]
    assert "Run <code>quorate select check</code>" in http.get("/dashboard/models").text
    now = service.clock()
    term = Term(now, (second,), f"{second} for {first}: +0.10 %")
    members = (SelectedMember(first, None, 0.021, -0.004), SelectedMember(second, now, 0.034, None))
    write_selection(
        bundles, SelectionCheck(bundle, Membership(1, (term,)), members, looked_at=now, checked_at=now, window_days=28)
    )
    path = selection_path(bundles, bundle)
    try:
        card = http.get("/dashboard/models").text.partition('id="selection"')[2].partition("</section>")[0]
        rows = [row.partition("</tr>")[0] for row in card.split("<tr>")[2:]]
        assert f"{second} votes since" in card
        assert "days to" in card
        assert "+2.10" in rows[0]
        assert "+3.40" in rows[1]
        assert ["does not vote" in row for row in rows] == [True, False]
        path.write_text("{")
        assert "could not read who votes" in http.get("/dashboard/models").text
    finally:
        path.unlink()  # other tests show the same folder
