"""Signals of many markets, each with its marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

from quorate.core.clock import format_ms
from quorate.core.errors import DataError
from quorate.core.text.plural import counted
from quorate.core.types import CLASS_NAMES, Mode, Signal
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.workflows.inputs.applied_vote import overrides_text
from quorate.workflows.results import listing, tables
from quorate.workflows.results.headline import IN_TRAINING_SPAN

if TYPE_CHECKING:
    import pandas as pd

    from quorate.trading.entry_panel import PanelVote


@dataclass(frozen=True, slots=True)
class MarketSignal:
    """The decision at one market's newest closed bar.

    Attributes:
        signal: the decision, and the votes behind it.
        trained_symbol: the bundle was trained on this market.
        in_training_span: the bar is one that the bundle was trained on.
        synthetic: the candles, or those of the training, are synthetic.
        stale: the bar opened more than 3 bars before now.
        panel: judgement of the panel of language models, where it was asked; None for HOLD.
    """

    signal: Signal
    trained_symbol: bool
    in_training_span: bool
    synthetic: bool
    stale: bool
    panel: PanelVote | None = None

    @property
    def symbol(self) -> str:
        """The market."""
        return self.signal.symbol

    @property
    def time(self) -> int:
        """Open time of the bar in ms UTC."""
        return self.signal.time or 0

    def to_json(self) -> dict[str, Any]:
        """One entry of `quorate signal --json`."""
        marks = ("trained_symbol", "in_training_span", "synthetic")
        judged = {} if self.panel is None else {"panel": self.panel.to_json()}
        return {**self.signal.to_json(), **{name: getattr(self, name) for name in marks}, **judged}


@dataclass(frozen=True, slots=True, repr=False)
class MarketSignals(Sequence[MarketSignal], listing.Listing):
    """The signals of some markets, in the order they were asked for.

    Attributes:
        signals: one a market.
        mode: how many of the bundle's members were loaded: full, partial or none.
        status: member -> whether it was loaded.
        effective_votes: independent votes that the bundle's members are worth, on rows that none was fitted on; None
            where training did not measure it.
        vote_overrides: settings of the vote that are not those of the training, see `vote_overrides`.
        left_out: market that was asked for -> why it has no signal: its candles cannot be read.
    """

    signals: tuple[MarketSignal, ...]
    mode: Mode
    status: Mapping[str, bool]
    effective_votes: float | None = None
    vote_overrides: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, DataError] = field(default_factory=dict)

    @property
    def stale(self) -> bool:
        """Whether all signals are stale."""
        return all(signal.stale for signal in self.signals)

    @property
    def newest(self) -> int:
        """Open time of the newest bar in ms UTC."""
        return max(signal.time for signal in self.signals)

    @overload
    def __getitem__(self, place: int) -> MarketSignal: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[MarketSignal]: ...
    def __getitem__(self, place: int | slice) -> MarketSignal | Sequence[MarketSignal]:
        return self.signals[place]

    def __len__(self) -> int:
        return len(self.signals)

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate signal --json`."""
        changed = {"vote_overrides": dict(self.vote_overrides)} if self.vote_overrides else {}
        return [{**signal.to_json(), **changed} for signal in self.signals]

    def to_pandas(self, table: str = "signals") -> pd.DataFrame:
        """One of the result's tables as a pandas frame; times are in UTC.

        Args:
            table: "signals": a row a market: the decision and its marks; probabilities are NaN until calibrated.
                "votes": a row for each member's vote on each market, indexed by symbol and model; members that
                abstained have no action.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        return tables.table_of({"signals": self._table, "votes": self._votes}, table)

    @property
    def title(self) -> str:
        return f"{counted(len(self), 'signal')}, mode {self.mode}"

    @property
    def marks(self) -> tuple[str, ...]:
        marks = [SYNTHETIC] if any(signal.synthetic for signal in self.signals) else []
        marks += [overrides_text(self.vote_overrides)] if self.vote_overrides else []
        marks += [IN_TRAINING_SPAN] if any(signal.in_training_span for signal in self.signals) else []
        return tuple(marks)

    @property
    def lines(self) -> listing.Lines:
        columns = ("market", "bar", "action", "confidence", "decided by", "marks")
        lines = [
            (
                each.symbol,
                format_ms(each.time),
                each.signal.action.name,
                f"{each.signal.confidence:.0%}",
                each.signal.rule,
                ", ".join(
                    text
                    for text, wanted in (
                        ("not a training symbol", not each.trained_symbol),
                        ("in training span", each.in_training_span),
                        ("stale", each.stale),
                    )
                    if wanted
                ),
            )
            for each in self.signals
        ]
        return listing.Lines(columns, tuple(lines))

    def _table(self) -> pd.DataFrame:
        rows = []
        for each in self.signals:
            made = each.signal
            row = {
                "symbol": made.symbol,
                "action": made.action.name,
                "confidence": made.confidence,
                "consensus": made.consensus,
                "rule": made.rule,
                "policy": made.policy,
                "volatility": made.volatility,
                "expected_return": made.expected_return,
                "predicted_return": made.predicted_return,
            }
            shares = made.probabilities or (None,) * len(CLASS_NAMES)
            row |= {f"probability_{name.lower()}": share for name, share in zip(CLASS_NAMES, shares, strict=True)}
            marks = ("trained_symbol", "in_training_span", "synthetic", "stale")
            rows.append({**row, **{name: getattr(each, name) for name in marks}})
        frame: pd.DataFrame = tables.pandas().DataFrame(rows)
        frame.insert(1, "time", tables.utc([each.time for each in self.signals]))
        optional = ["volatility", "expected_return", "predicted_return"]
        numbers = [*optional, *(f"probability_{name.lower()}" for name in CLASS_NAMES)]
        frame[numbers] = frame[numbers].astype(float)
        return frame

    def _votes(self) -> pd.DataFrame:
        columns = ["symbol", "model", "action", "score", "predicted_return", "abstained"]
        rows: list[tuple[Any, ...]] = []
        for each in self.signals:
            made = each.signal
            rows += [(made.symbol, vote.model, vote.action.name, vote.score, None, "") for vote in made.votes]
            rows += [
                (made.symbol, own.model, own.action.name, None, own.predicted_return, "") for own in made.forecasts
            ]
            rows += [(made.symbol, out.model, None, None, None, out.reason) for out in made.abstentions]
        frame: pd.DataFrame = tables.pandas().DataFrame(rows, columns=columns)
        frame[["score", "predicted_return"]] = frame[["score", "predicted_return"]].astype(float)
        return frame.set_index(["symbol", "model"])


def merge_signals(parts: Sequence[MarketSignals], symbols: Sequence[str]) -> MarketSignals:
    """The signals that one bundle made in several processes, as one.

    Args:
        parts: at least one; each market is in one of them.
        symbols: all markets, in the order of the result.
    """
    made = {each.symbol: each for part in parts for each in part}
    failed = {symbol: error for part in parts for symbol, error in part.left_out.items()}
    # A member that is benched meanwhile may be missing in some of the parts only.
    partial = next((part.mode for part in parts if part.mode == "partial"), parts[0].mode)
    return replace(
        parts[0],
        signals=tuple(made[symbol] for symbol in symbols if symbol in made),
        mode=partial,
        left_out={symbol: failed[symbol] for symbol in symbols if symbol in failed},
    )
