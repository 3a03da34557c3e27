"""Members in fewer bits: served only where neither they nor the ensemble decide otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.core.settings import VoteSettings
from quorate.ensemble.precision import compare

ROWS = 1_000
BUY, HOLD = (0.05, 0.05, 0.9), (0.1, 0.8, 0.1)


def scores(buys: int, rows: int = ROWS) -> np.ndarray:
    """BUY on the first rows, HOLD on the others."""
    return np.where(np.arange(rows)[:, None] < buys, BUY, HOLD)


FULL = {name: scores(200) for name in ("xgboost", "lightgbm", "nhits", "patchtst")}


def flipped(*rows: int) -> np.ndarray:
    table = FULL["nhits"].copy()
    for row in rows:
        table[row] = HOLD if row < 200 else BUY
    return table


@pytest.mark.parametrize(
    ("nhits", "patchtst", "kept"),
    [
        (flipped(), flipped(), ("nhits", "patchtst")),
        (flipped(*range(990, 995)), flipped(), ("nhits", "patchtst")),  # 99.5 %, none of them where the ensemble acts
        (flipped(*range(990, 996)), flipped(), ("patchtst",)),  # 99.4 % of its own classes
        (flipped(0), flipped(1), ("nhits", "patchtst")),  # three of four still agree
        (flipped(0, 1), flipped(0, 1), ()),  # 198 of 200 decisions
        (flipped(0), flipped(0), ("nhits", "patchtst")),  # 199 of 200
    ],
)
def test_members_are_kept_by_their_classes_and_by_what_the_ensemble_decides(
    nhits: np.ndarray, patchtst: np.ndarray, kept: tuple[str, ...]
) -> None:
    found = compare(FULL, {"nhits": nhits, "patchtst": patchtst}, VoteSettings(), 4)
    assert found.kept == kept
    assert (found.rows, found.acted) == (ROWS, 200)
    assert found.classes["nhits"] == (nhits == FULL["nhits"]).all(axis=1).mean()


def test_where_the_ensemble_never_acts_nothing_is_shown() -> None:
    idle = {name: scores(0) for name in FULL}
    found = compare(idle, {"nhits": idle["nhits"]}, VoteSettings(), 4)
    assert (found.acted, found.decisions, found.kept) == (0, None, ())


def test_a_decision_that_only_fewer_bits_make_counts_too() -> None:
    two = {name: scores(0) for name in FULL} | {"xgboost": scores(3), "lightgbm": scores(3)}
    found = compare(two, {"nhits": scores(3)}, VoteSettings(), 4)
    # Its own class is the same on 99.7 % of the rows, and yet it makes the third vote of three actions.
    assert found.classes["nhits"] == 0.997
    assert (found.acted, found.decisions, found.kept) == (3, 0.0, ())
