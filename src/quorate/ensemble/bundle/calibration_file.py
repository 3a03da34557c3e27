"""What a bundle knows of probabilities: maps of the members and of their mean, prediction sets, the policy's numbers.

It is calibration.json of the bundle, and needs numpy alone to be used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from quorate.core.errors import BundleError
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, FloatArray, IntArray, Vote
from quorate.ensemble.calibration.conformal import Conformal
from quorate.ensemble.calibration.isotonic import Isotonic
from quorate.ensemble.calibration.map_selection import ProbabilityMap
from quorate.ensemble.calibration.temperature import Temperature, tempered
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.mean_scores import mean_scores, mean_vote

if TYPE_CHECKING:
    from quorate.targets import Labels

FILE_NAME = "calibration.json"

Probabilities = tuple[float, float, float]

_KINDS: Mapping[str, type[Temperature] | type[Isotonic]] = {kind.kind: kind for kind in (Temperature, Isotonic)}


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores to probabilities.

    Attributes:
        members: model -> map, for those that could be calibrated.
        lacking: model, or "ensemble" -> why it could not.
        policy: what decides by the ensemble's probabilities, and its map; None where that could not be calibrated.
    """

    members: Mapping[str, ProbabilityMap] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    policy: CalibratedPolicy | None = None

    def frame(self, scores: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Model -> (n, 3) probabilities of its (n, 3) scores; a row that is not finite stays so."""
        return {model: self.members[model](table) for model, table in scores.items() if model in self.members}

    def together(self, scores: Mapping[str, FloatArray], settings: VoteSettings) -> FloatArray | None:
        """(n, 3) the ensemble's probabilities, of the members' (n, 3) scores; None where it could not be calibrated."""
        return None if self.policy is None else self.policy.ensemble(mean_scores(scores, settings))

    def limit(self, probabilities: FloatArray, labels: Labels, time: IntArray) -> FloatArray | None:
        """(n,) the limit of the ensemble's prediction sets, adapted from bar to bar; None where it has none.

        Args:
            probabilities: (n, 3) the ensemble's.
            labels: what happened, as far as it is known.
            time: (n,) open times of the bars of one market, ms.
        """
        if self.policy is None or self.policy.conformal is None:
            return None
        known_from = np.where(labels.known, labels.span_end, np.iinfo(np.int64).max)
        return self.policy.conformal.track(probabilities, labels.y, time, known_from).limit

    def ballot(
        self, votes: Sequence[Vote | Abstention], settings: VoteSettings
    ) -> tuple[list[Vote | Abstention], Probabilities | None]:
        """One bar's votes with their probabilities, and the ensemble's.

        All scores, and their mean, go through one calculation: the live path has microseconds for it.
        """
        mean = mean_vote(votes, settings) if self.policy is not None else None
        rows = [(vote.model, vote.scores) for vote in votes if isinstance(vote, Vote) and vote.scores is not None]
        told = [row for row in rows if row[0] in self.members]
        if mean is not None:
            told.append(("", mean))
        if not told:
            return list(votes), None
        scores = np.array([row[1] for row in told])
        inverse, offsets = self._stacked(tuple(row[0] for row in told))
        made: list[list[float]] = tempered(scores, inverse, offsets).tolist()
        for place, (model, own) in enumerate(told):
            isotonic = self._maps[model]
            if isinstance(isotonic, Isotonic):
                made[place] = list(isotonic.row(own))
        probabilities = {model: (row[0], row[1], row[2]) for (model, _), row in zip(told, made, strict=True)}
        ballot: list[Vote | Abstention] = [
            Vote(vote.model, vote.action, vote.score, probabilities.get(vote.model), vote.weight, vote.scores)
            if isinstance(vote, Vote)
            else vote
            for vote in votes
        ]
        return ballot, probabilities.get("")

    def to_json(self) -> dict[str, Any]:
        """The document that calibration.json holds."""
        policy = self.policy
        return {
            "members": {model: made.to_json() for model, made in self.members.items()},
            "lacking": dict(self.lacking),
            "ensemble": None if policy is None else policy.ensemble.to_json(),
            "conformal": None if policy is None or policy.conformal is None else policy.conformal.to_json(),
            "policy": None if policy is None else policy.to_json(),
        }

    def content(self) -> bytes:
        """The bytes of calibration.json."""
        return (json.dumps(self.to_json(), indent=1, allow_nan=False) + "\n").encode()

    @classmethod
    def parse(cls, content: bytes, vote: VoteSettings, attempted: str) -> Self:
        """Read calibration.json.

        Args:
            content: its bytes.
            vote: weights and quorum of the bundle.
            attempted: for the message.

        Raises:
            BundleError: no JSON, or numbers that no calibration has.
        """
        try:
            tree = json.loads(content)
            members = {model: _map(told) for model, told in tree["members"].items()}
            lacking = {str(model): str(why) for model, why in tree["lacking"].items()}
            policy = None if tree["policy"] is None else _policy(tree, vote)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise BundleError(
                attempted,
                found=f"a {FILE_NAME} that cannot be used ({error})",
                expected="maps, prediction sets and a policy as they were saved",
                remedy="Train it again with this version of Quorate.",
            ) from error
        return cls(members, lacking, policy)

    @cached_property
    def _maps(self) -> dict[str, ProbabilityMap]:
        """The members' maps and, under "", the ensemble's."""
        return {**self.members, **({} if self.policy is None else {"": self.policy.ensemble})}

    @cached_property
    def _stacks(self) -> dict[tuple[str, ...], tuple[FloatArray, FloatArray]]:
        return {}

    def _stacked(self, models: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
        """(k, 1) inverse temperatures and (k, 3) offsets; rows of isotonic maps hold ones and zeros."""
        if models not in self._stacks:
            plain = [
                made if isinstance(made := self._maps[model], Temperature) else Temperature(1.0) for model in models
            ]
            self._stacks[models] = (
                np.array([[made.inverse] for made in plain]),
                np.array([made.offsets for made in plain]),
            )
        return self._stacks[models]


#: Scores without probabilities.
UNCALIBRATED = Calibration()


def _map(tree: Mapping[str, Any]) -> ProbabilityMap:
    return _KINDS[tree["kind"]].from_json(tree)


def _policy(tree: Mapping[str, Any], vote: VoteSettings) -> CalibratedPolicy:
    told = tree["policy"]
    sell, hold, buy = map(float, told["returns"])
    made = CalibratedPolicy(
        vote=vote,
        ensemble=_map(tree["ensemble"]),
        returns=(sell, hold, buy),
        cost=float(told["cost"]),
        net_return=float(told["net_return"]),
        probability=float(told["probability"]),
        conformal=None if tree["conformal"] is None else Conformal.from_json(tree["conformal"]),
        unambiguous=bool(told["unambiguous"]),
    )
    if not np.isfinite([*made.returns, made.cost, made.net_return, made.probability]).all():
        raise ValueError("policy numbers that are not finite")
    return made
