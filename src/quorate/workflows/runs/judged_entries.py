"""What a panel of language models leaves of the entries of a run, by recorded replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quorate.workflows.inputs.panels import recorded_panel

if TYPE_CHECKING:
    from quorate.core.sections.llm import LLMSettings
    from quorate.core.settings import EvaluationSettings
    from quorate.core.types import DecisionFrame, FloatArray
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines.configurations import Configuration
    from quorate.llm.judging_panel import JudgingPanel
    from quorate.llm.panel_frame import PanelFrame
    from quorate.llm.recordings import PanelUsage
    from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True, eq=False)
class JudgedEntries:
    """A panel's judgement of the entries of a run.

    Attributes:
        panel: that judged.
        frames: symbol -> judgements.
        usage: what was found in the recordings.
    """

    panel: JudgingPanel
    frames: Mapping[str, PanelFrame]
    usage: PanelUsage

    @property
    def shares(self) -> Mapping[str, FloatArray]:
        """Symbol -> (n,) share of the ordinary stake of each decision."""
        return {symbol: frame.share for symbol, frame in self.frames.items()}

    @property
    def marks(self) -> list[str]:
        """A sentence for each model that may know bars of the run."""
        return self.usage.marks

    def to_json(self) -> dict[str, Any]:
        """Digest of the panel, what became of the entries, and what was found in the recordings; JSON-safe."""
        from quorate.llm.panel_frame import panel_figures

        return {"digest": self.panel.digest, **panel_figures(self.frames), "found": self.usage.to_json()}

    def configuration(self, ordinary: Configuration, result: BacktestResult) -> Configuration:
        """A configuration of the trial log with the panel.

        Args:
            ordinary: the one without it.
            result: backtest with the panel.
        """
        choice = {**ordinary.choice, "panel": self.panel.digest}
        return replace(ordinary, name=f"{ordinary.name} with panel", choice=choice, result=result)

    def section(
        self,
        result: BacktestResult,
        ordinary: BacktestResult,
        frames: Mapping[str, DecisionFrame],
        settings: EvaluationSettings,
    ) -> dict[str, Any]:
        """The key `panel` of an evaluation, with the accounts with and without it.

        Args:
            result: backtest with the panel.
            ordinary: backtest of the same decisions without it.
            frames: symbol -> the decisions.
            settings: of the intervals.
        """
        from quorate.evaluation.baselines.panel_comparison import panel_comparison

        compared = panel_comparison(result, ordinary, frames, self.shares, self.usage.usd, settings)
        return {**self.to_json(), "comparison": compared}


def judge_entries(
    settings: LLMSettings, frames: Mapping[str, DecisionFrame], setup: BacktestSetup
) -> JudgedEntries | None:
    """Judge the entries of a run; None where no role has a provider.

    Args:
        settings: of the panel.
        frames: symbol -> decisions.
        setup: candles and span of the run.

    Raises:
        RecordingError: a recording that is altered, or of a model that may know the bar, where that is refused.
    """
    found = recorded_panel(settings)
    if found is None:
        return None
    from quorate.llm.panel_frame import panel_frames

    panel, source = found
    return JudgedEntries(panel, panel_frames(panel, frames, setup.candles, setup.start, setup.end), source.usage)
