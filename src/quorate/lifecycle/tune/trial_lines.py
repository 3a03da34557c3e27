"""Every trial of a search as a line of the trial log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.clock import iso_ms, now_ms
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.evaluation.statistics.trial_log import Trial, TrialLog
from quorate.lifecycle.tune.score import SpanScore
from quorate.lifecycle.tune.search import skill_of
from quorate.lifecycle.tune.space import Choices, with_choices

if TYPE_CHECKING:
    from quorate.core.settings import Settings

VERB = "tune"
_JUDGED = "judgement"


@dataclass(frozen=True, slots=True)
class TrialLines:
    """Writes the trials of a study to the trial log, each configuration once.

    The returns of a trial are those of positions of the size of its lean, before costs: every trial has some, while
    most of them would not act by the rules of the vote, which are fitted later.

    Attributes:
        log: None to write nothing.
        settings: as they are.
        members: names.
        choices: what all trials share: markets, timeframe, spans, question.
        code: version of the program.
        data: hash of the candles.
        synthetic: whether some candles are synthetic.
        clock: returns the time in ms UTC.
    """

    log: TrialLog | None
    settings: Settings
    members: Sequence[str]
    choices: Mapping[str, Any]
    code: str
    data: str
    synthetic: bool
    clock: Callable[[], int] = now_ms

    def searched(self, choices: Choices, scores: Sequence[SpanScore], end: str) -> None:
        """Record a trial of the search, unless an interrupted run has recorded it before."""
        line = self._line("search", choices, scores, {"end": end})
        if self.log is not None and line.id not in {trial.id for trial in self.log.read().trials}:
            self.log.record([line])

    def judged(self, tried: Sequence[tuple[Choices, SpanScore]], span: tuple[int, int]) -> None:
        """Record configurations that later bars judged.

        Args:
            tried: choices and scores.
            span: first bar and end, ms.
        """
        later = {"from": iso_ms(span[0]), "to": iso_ms(span[1])}
        if self.log is not None:
            self.log.record([self._line(_JUDGED, choices, [score], {}, later) for choices, score in tried])

    def earlier_judgements(self, span: tuple[int, int]) -> int:
        """Number of earlier judgements on bars of this span that the log knows of, of any market."""
        if self.log is None:
            return 0
        first, last = map(iso_ms, span)
        found = set()
        for trial in self.log.read().trials:
            about = trial.configuration
            if trial.verb == VERB and about.get("kind") == _JUDGED and trial.synthetic == self.synthetic:
                later = about.get("span", {})
                if later.get("from", "") < last and later.get("to", "") > first:
                    found.add(trial.time)
        return len(found)

    def _line(
        self,
        kind: str,
        choices: Choices,
        scores: Sequence[SpanScore],
        headline: Mapping[str, Any],
        span: Mapping[str, str] | None = None,
    ) -> Trial:
        own = with_choices(choices, self.settings)
        configuration = {
            **self.choices,
            "kind": kind,
            "members": list(self.members),
            "features": own.train.features,
            "target": {"horizon": own.target.horizon, "band": own.target.band},
            "models": own.models.to_json(self.members),
            "seed": own.train.seed,
        }
        if span is not None:
            configuration["span"] = dict(span)
        leaning = np.concatenate([score.leaning for score in scores])
        figures = {"skill": skill_of(scores), "spans": len(scores), **headline}
        name = f"settings of {', '.join(self.members)}"
        moments = Moments.of(leaning)
        made = iso_ms(self.clock())
        return Trial(made, self.code, VERB, name, configuration, self.data, self.synthetic, moments, figures)
