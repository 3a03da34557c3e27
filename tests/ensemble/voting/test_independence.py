"""A quorum of independent votes: two families of alike members."""

import numpy as np
import pytest

from quorate.core.errors import SettingsError
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, Action, Vote
from quorate.ensemble.voting.independence import error_correlations, independent_votes, pair_key
from quorate.ensemble.voting.vote import decide

# Trees are alike, networks are alike, and a tree and a network are less so.
TREES, NETWORKS = ("xgboost", "lightgbm"), ("nhits", "patchtst")
ALIKE = {pair_key(*TREES): 0.9, pair_key(*NETWORKS): 0.9} | {pair_key(a, b): 0.5 for a in TREES for b in NETWORKS}
RULES = VoteSettings(quorum_of="independent", correlation=ALIKE, floor=0.0, lowered_floor=0.0)


def rule(*buyers, abstains=(), rules=RULES):
    others = [name for name in (*TREES, *NETWORKS) if name not in buyers and name not in abstains]
    votes = [Vote(name, Action.BUY, 0.8) for name in buyers]
    # Others disagree with each other, so that the buyers have the plurality.
    votes += [Vote(name, side, 0.8) for name, side in zip(others, (Action.SELL, Action.HOLD), strict=False)]
    return decide([*votes, *(Abstention(name, "late") for name in abstains)], 0.01, policy=rules).rule


def test_the_worth_of_all_and_of_parts():
    assert independent_votes((*TREES, *NETWORKS), ALIKE) == pytest.approx(16 / (4 + 4 * 0.81 + 8 * 0.25))
    assert independent_votes(TREES, ALIKE) == pytest.approx(4 / (2 + 2 * 0.81))


def test_one_of_each_family_is_a_quorum_and_one_family_is_none():
    assert rule("xgboost", "nhits") == "vote"
    assert rule(*TREES) == "no_quorum"
    assert rule(*TREES, "nhits") == "vote"
    by_members = VoteSettings(floor=0.0, lowered_floor=0.0)
    assert rule("xgboost", "nhits", rules=by_members) == "no_quorum"


def test_abstentions_do_not_lower_what_all_are_worth():
    assert rule("xgboost", abstains=("lightgbm", *NETWORKS)) == "no_quorum"
    assert rule(*TREES, abstains=NETWORKS) == "no_quorum"


def test_without_correlations_members_are_counted():
    unknown = VoteSettings(quorum_of="independent", floor=0.0, lowered_floor=0.0)
    assert rule("xgboost", "nhits", rules=unknown) == "no_quorum"
    assert rule(*TREES, "nhits", rules=unknown) == "vote"


def test_correlations_of_errors_on_the_rows_on_which_all_voted():
    y = np.array([2, 2, 0, 0, 1, 2, 0, 1])
    good, turned = np.eye(3)[y], np.eye(3)[(y + 1) % 3]
    half = np.where(np.arange(8)[:, None] % 2 == 0, good, turned)
    late = np.where(np.arange(8)[:, None] < 2, np.nan, half)
    assert error_correlations(y, {"a": half, "b": late}) == {"a+b": pytest.approx(1.0)}
    assert error_correlations(y, {"a": good, "b": half}) == {}
    assert error_correlations(y, {}) == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"quorum_of": "families"}, "members or independent"), ({"correlation": {"a+b": 1.5}}, "vote.correlation.a+b")],
)
def test_wrong_settings_are_refused(fields, words):
    with pytest.raises(SettingsError, match=words.replace("+", r"\+")):
        VoteSettings(**fields)
