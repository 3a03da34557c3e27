"""Exact Shapley values of a few players, from the value of every coalition.

The value of a player is its mean marginal contribution over all orders in which the players can join:

    phi_i = sum over S without i of |S|! (k - |S| - 1)! / k! (v(S + i) - v(S))

Values sum to v(all) - v(none), symmetric players have equal values, and a player that never changes v has 0.

Source: Shapley, A Value for n-Person Games, 1953.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np

from quorate.core.errors import ArgumentError
from quorate.core.types import BoolArray, FloatArray

#: Players up to which every coalition is evaluated: 4,096 coalitions.
MOST_PLAYERS = 12


def coalitions(players: int) -> BoolArray:
    """(2^k, k) whether each player belongs to each coalition; the first has none of them and the last all.

    Raises:
        ArgumentError: no players, or more than `MOST_PLAYERS`.

    >>> coalitions(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    if not 1 <= players <= MOST_PLAYERS:
        raise ArgumentError("list all coalitions", found=f"{players} players", expected=f"1 to {MOST_PLAYERS}")
    numbers: BoolArray = (np.arange(2**players)[:, None] >> np.arange(players)) & 1 == 1
    return numbers


def shapley_values(values: FloatArray) -> FloatArray:
    """Shapley values of every player.

    Args:
        values: (2^k, ...) v of each coalition, in the order of `coalitions`.

    Returns:
        (k, ...) of each player; NaN where a value is NaN.

    Raises:
        ArgumentError: a number of values that is not a power of two from 2 on.

    >>> shapley_values(np.array([0.0, 1.0, 2.0, 4.0])).tolist()  # 1 and 2 alone, 4 together
    [1.5, 2.5]
    """
    players = len(values).bit_length() - 1
    if players < 1 or len(values) != 2**players:
        raise ArgumentError("compute Shapley values", found=f"{len(values)} values", expected="2, 4, 8, ... values")
    found: FloatArray = np.tensordot(_weights(players), values, axes=1)
    return found


@lru_cache(maxsize=MOST_PLAYERS)
def _weights(players: int) -> FloatArray:
    """(k, 2^k) weight of each coalition's value in the value of each player.

    A coalition with the player counts once for the coalition that the player joins; one without it is subtracted.
    """
    members = coalitions(players)
    size = members.sum(axis=1)
    joined = np.where(members.T, size - 1, size)  # of the others
    shares = np.array([1 / (players * comb(players - 1, others)) for others in range(players)])
    # No player can join the whole: its own coalitions have at most k - 1 others.
    weights: FloatArray = np.where(members.T, 1.0, -1.0) * shares[np.minimum(joined, players - 1)]
    return weights
