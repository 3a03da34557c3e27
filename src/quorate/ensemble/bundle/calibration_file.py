"""Calibration of a bundle, the file calibration.json: probability maps of the members and of their mean score,
prediction sets, and the numbers of the calibrated policy. Needs numpy only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from quorate.core.errors import BundleError
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, FloatArray, IntArray, Vote
from quorate.core.untrusted_json import parse_json
from quorate.ensemble.calibration.conformal import Conformal
from quorate.ensemble.calibration.isotonic import Isotonic
from quorate.ensemble.calibration.map_selection import ProbabilityMap
from quorate.ensemble.calibration.temperature import Temperature, scale_scores
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.mean_scores import mean_scores, mean_vote

if TYPE_CHECKING:
    from quorate.targets import Labels

FILE_NAME = "calibration.json"

Probabilities = tuple[float, float, float]

_KINDS: Mapping[str, type[Temperature] | type[Isotonic]] = {kind.kind: kind for kind in (Temperature, Isotonic)}


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibrated probabilities of a bundle's scores.

    Attributes:
        members: model -> probability map, for members that could be calibrated.
        lacking: model, or "ensemble" -> why it could not be calibrated.
        policy: the calibrated policy, which holds the ensemble's map; None if the ensemble could not be calibrated.
    """

    members: Mapping[str, ProbabilityMap] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    policy: CalibratedPolicy | None = None

    def frame(self, scores: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Model -> (n, 3) probabilities of its (n, 3) scores, for models with a map; NaN rows stay NaN."""
        return {model: self.members[model](table) for model, table in scores.items() if model in self.members}

    def ensemble(self, scores: Mapping[str, FloatArray], settings: VoteSettings) -> FloatArray | None:
        """(n, 3) probabilities of the ensemble, from the members' (n, 3) scores; None if it could not be calibrated."""
        return None if self.policy is None else self.policy.ensemble(mean_scores(scores, settings))

    def limit(self, probabilities: FloatArray, labels: Labels, time: IntArray) -> FloatArray | None:
        """(n,) limits of the ensemble's prediction sets, adapted from bar to bar; None without prediction sets.

        Args:
            probabilities: (n, 3) of the ensemble.
            labels: of the bars; a label counts from the bar at whose close it is known.
            time: (n,) open times of the bars of one market, ms.
        """
        if self.policy is None or self.policy.conformal is None:
            return None
        known_from = np.where(labels.known, labels.span_end, np.iinfo(np.int64).max)
        return self.policy.conformal.track(probabilities, labels.y, time, known_from).limit

    def calibrate_votes(
        self, markets: Sequence[Sequence[Vote | Abstention]], settings: VoteSettings
    ) -> list[tuple[list[Vote | Abstention], Probabilities | None]]:
        """Of each market, one bar's votes with their probabilities, and the probabilities of the ensemble.

        All scores and their means go through one array operation: this is the live path, a matter of microseconds. The
        values of a market do not depend on the others, bit for bit.
        """
        rows = [self._rows(votes, settings) for votes in markets]
        parameters = [self._map_parameters(tuple([model for model, _ in of_bar])) for of_bar in rows if of_bar]
        if not parameters:
            return [(list(votes), None) for votes in markets]
        scores = np.array([raw for of_bar in rows for _, raw in of_bar])
        if len(parameters) == 1:
            inverse, offsets = parameters[0]
        else:
            inverse, offsets = (np.concatenate(of_each) for of_each in zip(*parameters, strict=True))
        mapped = iter(scale_scores(scores, inverse, offsets).tolist())
        return [self._with_probabilities(votes, of_bar, mapped) for votes, of_bar in zip(markets, rows, strict=True)]

    def _rows(
        self, votes: Sequence[Vote | Abstention], settings: VoteSettings
    ) -> list[tuple[str, tuple[float, float, float]]]:
        """The scores that one bar's maps take, by model, and under "" their mean for the map of the ensemble."""
        mean = mean_vote(votes, settings) if self.policy is not None else None
        scored = [(vote.model, vote.scores) for vote in votes if isinstance(vote, Vote) and vote.scores is not None]
        rows = [row for row in scored if row[0] in self.members]
        if mean is not None:
            rows.append(("", mean))
        return rows

    def _with_probabilities(
        self,
        votes: Sequence[Vote | Abstention],
        rows: Sequence[tuple[str, tuple[float, float, float]]],
        mapped: Iterator[list[float]],
    ) -> tuple[list[Vote | Abstention], Probabilities | None]:
        """One bar's votes with the next of the mapped scores, or with those of isotonic maps, and the ensemble's."""
        if not rows:
            return list(votes), None
        probabilities: dict[str, Probabilities] = {}
        for model, raw in rows:
            sell, hold, buy = next(mapped)
            isotonic = self._maps[model]
            probabilities[model] = isotonic.map_row(raw) if isinstance(isotonic, Isotonic) else (sell, hold, buy)
        calibrated: list[Vote | Abstention] = [
            Vote(vote.model, vote.action, vote.score, probabilities.get(vote.model), vote.weight, vote.scores)
            if isinstance(vote, Vote)
            else vote
            for vote in votes
        ]
        return calibrated, probabilities.get("")

    def to_json(self) -> dict[str, Any]:
        """Content of calibration.json."""
        policy = self.policy
        return {
            "members": {model: mapping.to_json() for model, mapping in self.members.items()},
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
            content: bytes of the file.
            vote: weights and quorum of the bundle.
            attempted: what was attempted, for the error.

        Raises:
            BundleError: not JSON, or values that are missing or out of range.
        """
        try:
            tree = parse_json(content)
            members = {model: _map(saved) for model, saved in tree["members"].items()}
            lacking = {str(model): str(why) for model, why in tree["lacking"].items()}
            policy = None if tree["policy"] is None else _policy(tree, vote)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise BundleError(
                attempted,
                found=f"an invalid {FILE_NAME} ({error})",
                expected="maps, prediction sets and a policy as they were published",
                remedy="Train the bundle again with this version of Quorate.",
            ) from error
        return cls(members, lacking, policy)

    @cached_property
    def _maps(self) -> dict[str, ProbabilityMap]:
        """Maps of the members and, under "", of the ensemble."""
        return {**self.members, **({} if self.policy is None else {"": self.policy.ensemble})}

    @cached_property
    def _parameters(self) -> dict[tuple[str, ...], tuple[FloatArray, FloatArray]]:
        return {}

    def _map_parameters(self, models: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
        """(k, 1) inverse temperatures and (k, 3) offsets of the maps; ones and zeros for isotonic maps."""
        if models not in self._parameters:
            temperatures = [
                mapping if isinstance(mapping := self._maps[model], Temperature) else Temperature(1.0)
                for model in models
            ]
            self._parameters[models] = (
                np.array([[one.inverse] for one in temperatures]),
                np.array([one.offsets for one in temperatures]),
            )
        return self._parameters[models]


#: The calibration of a bundle without probabilities.
UNCALIBRATED = Calibration()


def _map(tree: Mapping[str, Any]) -> ProbabilityMap:
    return _KINDS[tree["kind"]].from_json(tree)


def _policy(tree: Mapping[str, Any], vote: VoteSettings) -> CalibratedPolicy:
    saved = tree["policy"]
    sell, hold, buy = map(float, saved["returns"])
    policy = CalibratedPolicy(
        vote=vote,
        ensemble=_map(tree["ensemble"]),
        returns=(sell, hold, buy),
        cost=float(saved["cost"]),
        net_return=float(saved["net_return"]),
        probability=float(saved["probability"]),
        conformal=None if tree["conformal"] is None else Conformal.from_json(tree["conformal"]),
        unambiguous=bool(saved["unambiguous"]),
    )
    if not np.isfinite([*policy.returns, policy.cost, policy.net_return, policy.probability]).all():
        raise ValueError("policy values are not finite")
    return policy
