"""Groups of features that an explanation tells apart: those of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.features.catalogue import GROUPS

#: Columns of other markets and of funding are one group: there are 2 to the number of groups coalitions.
CONTEXT = "context"
_CONTEXT = (
    *("funding", "bitcoin", "strength", "breadth", "ranks"),
    *("open_interest", "long_short", "taker", "premium"),
)

#: Columns that are not in the catalogue.
OWN = "own"

_GROUP_OF = {
    column.name: CONTEXT if group in _CONTEXT else group for group, columns in GROUPS.items() for column in columns
}


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """Columns that are present or absent together.

    Attributes:
        name: of the group in the catalogue; "context", or "own" for columns of a user's own.
        columns: names of its columns in the feature set.
        places: of these columns in the matrix.
    """

    name: str
    columns: tuple[str, ...]
    places: tuple[int, ...]


def feature_groups(names: Sequence[str]) -> tuple[FeatureGroup, ...]:
    """The groups of a feature set, in the order of the catalogue.

    Args:
        names: (F,) columns of the set, in order.

    >>> from quorate.features import feature_set
    >>> [group.name for group in feature_groups(feature_set("core30").names)]
    ['technical', 'price', 'volume', 'volatility', 'variance', 'time']
    """
    places: dict[str, list[int]] = {name: [] for name in (*GROUPS, CONTEXT, OWN)}
    for place, column in enumerate(names):
        places[_GROUP_OF.get(column, OWN)].append(place)
    return tuple(
        FeatureGroup(group, tuple(names[place] for place in own), tuple(own)) for group, own in places.items() if own
    )
