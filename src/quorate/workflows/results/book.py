"""Results of a book: its training, its target weights now, and its backtest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.clock import iso_ms
from quorate.core.text.plural import counted
from quorate.evaluation.report.formatting import Kind, interval_text, text_of

if TYPE_CHECKING:
    from quorate.book.bundle import BookManifest
    from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True)
class TrainedBook:
    """A published book.

    Attributes:
        path: its folder.
        manifest: what it holds.
        seconds: "sleeve.model" -> time of its fit.
        days: of the panel.
        universe: markets of the last day.
        took_s: from the panel to the last fit.
    """

    path: Path
    manifest: BookManifest
    seconds: Mapping[str, float]
    days: int
    universe: tuple[str, ...]
    took_s: float

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate train --recipe book --json`."""
        manifest = self.manifest
        return {
            "bundle": str(self.path),
            "id": manifest.id,
            "recipe": "book",
            "sleeves": list(manifest.settings.sleeves),
            "models": {
                f"{each.sleeve}.{each.model}": {
                    "ok": not each.failure,
                    "rows": each.rows,
                    "seconds": self.seconds[f"{each.sleeve}.{each.model}"],
                    **({"failure": each.failure} if each.failure else {}),
                }
                for each in manifest.members
            },
            "symbols": len(manifest.symbols),
            "days": self.days,
            "universe": list(self.universe),
            "span": {"from": iso_ms(manifest.training_start), "to": iso_ms(manifest.training_end)},
            "synthetic": manifest.synthetic,
        }


@dataclass(frozen=True, slots=True)
class TargetPosition:
    """The target of one market.

    Attributes:
        symbol: of the market.
        weight: target, as a signed fraction of equity.
        held: weight of a book that followed its targets so far.
        order: change of the weight at the next open.
        sleeves: sleeve -> its part of the weight, before band and limits.
        price: the last close.
    """

    symbol: str
    weight: float
    held: float
    order: float
    sleeves: Mapping[str, float]
    price: float

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "weight": self.weight,
            "held": self.held,
            "order": self.order,
            "sleeves": dict(self.sleeves),
            "price": self.price,
        }


@dataclass(frozen=True, slots=True)
class TargetBook:
    """The target weights of a book at the newest moment.

    Attributes:
        book: id.
        moment: ms, the close of the newest bar.
        equity_usd: of the account for which the limits were applied.
        followed_from: ms from which the held weights were followed.
        positions: with a target or a held weight, the largest first.
        abstentions: "sleeve.model" -> why it abstains.
        synthetic: whether some candles are synthetic.
    """

    book: str
    moment: int
    equity_usd: float
    followed_from: int
    positions: tuple[TargetPosition, ...]
    abstentions: Mapping[str, str]
    synthetic: bool

    @property
    def gross(self) -> float:
        """Sum of the sizes of the target weights."""
        return sum(abs(each.weight) for each in self.positions)

    @property
    def net(self) -> float:
        """Sum of the target weights."""
        return sum(each.weight for each in self.positions)

    @property
    def turnover(self) -> float:
        """Sum of the sizes of the orders."""
        return sum(abs(each.order) for each in self.positions)

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate signal --json` for a book."""
        return {
            "book": self.book,
            "time": iso_ms(self.moment),
            "equity_usd": self.equity_usd,
            "followed_from": iso_ms(self.followed_from),
            "gross": self.gross,
            "net": self.net,
            "turnover": self.turnover,
            "positions": [each.to_json() for each in self.positions],
            "abstentions": [{"model": name, "reason": why} for name, why in self.abstentions.items()],
            "synthetic": self.synthetic,
        }


@dataclass(frozen=True, slots=True, eq=False)
class BookBacktest:
    """A book traded in the simulated account.

    Attributes:
        document: JSON-safe; the document of `quorate backtest --json`.
        result: trades, equity and weights.
    """

    document: Mapping[str, Any]
    result: BacktestResult

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate backtest --json`."""
        return dict(self.document)

    @property
    def verdict(self) -> str:
        """What happened, beside holding, in a sentence."""
        stats, held = self.document["stats"], self.document["baselines"].get("universe", {})
        days = stats["days"]
        if not self.result.trades:
            return f"Nothing was held in {counted(days, 'day')}."
        sharpe = figure_text(stats, "sharpe", "number")
        beside = f", beside {figure_text(held, 'sharpe', 'number')} by holding the universe" if held else ""
        interval = stats.get("sharpe_ci")
        sure = interval is not None and interval[0] > 0
        proof = "a gain that chance does not explain" if sure else "no evidence of an edge"
        return (
            f"{counted(days, 'day')}: {figure_text(stats, 'total_return', 'percent')} after all costs, net Sharpe "
            f"{sharpe}{beside}, drawdown {figure_text(stats, 'max_drawdown', 'odds')}: {proof}."
        )

    def write_trades(self, path: str | Path) -> Path:
        """Write a CSV file with a row for each part of a position that was closed.

        Raises:
            DataError: the file cannot be written.
        """
        from quorate.workflows.runs.trade_list import write_trades

        return write_trades(path, self.result, {})


def figure_text(figures: Mapping[str, Any], name: str, kind: Kind) -> str:
    """A figure with its interval, or "unknown"."""
    if figures.get(name) is None:
        return "unknown"
    ends = interval_text(figures.get(f"{name}_ci"), kind)
    return text_of(figures[name], kind) + (f" ({ends})" if ends else "")


@dataclass(frozen=True, slots=True, eq=False)
class BookDemo:
    """A book on a synthetic market with a planted effect, and on one without.

    Attributes:
        edge: share of the returns' variance that is predictable in the first.
        planted: the backtest of the first; None where nothing is predictable.
        control: that of the other.
    """

    edge: float
    planted: BookBacktest | None
    control: BookBacktest

    @property
    def sentence(self) -> str:
        """Both results."""
        count = counted(len(self.control.document["symbols"]), "market")
        control = f"{figure_text(self.control.document['stats'], 'sharpe', 'number')} in a control"
        if self.planted is None:
            return f"Book of {count}: net Sharpe {control}."
        found = figure_text(self.planted.document["stats"], "sharpe", "number")
        return f"Book of {count}: net Sharpe {found} where single markets trend, {control}."

    def to_json(self) -> dict[str, Any]:
        """Statistics of both, without trades and equity."""
        return {
            "edge": self.edge,
            "planted": None if self.planted is None else self.planted.document["stats"],
            "control": self.control.document["stats"],
        }
