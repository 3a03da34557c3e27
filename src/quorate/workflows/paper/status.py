"""The status of a paper account, read from its journal alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorate.core.text import counted
from quorate.workflows.results import tables
from quorate.workflows.results.headline import Headline, Headlined, HeadlineRow, figure, marks_of

if TYPE_CHECKING:
    import pandas as pd

    from quorate.core.settings import Settings
    from quorate.core.types import DecisionFrame
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.trading.paper import AccountStatus


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PaperStatus(Headlined):
    """An account's equity, positions, guards, ladder and criteria as of its last completed step.

    Attributes:
        document: JSON-safe; the document of `quorate paper status --json`, after a run with all trades and the equity.
        result: trades and equity from the beginning; open positions are in the equity and not in the trades.
        frames: decisions, one frame a market, without the members' scores.
    """

    document: Mapping[str, Any]
    result: BacktestResult
    frames: Sequence[DecisionFrame]

    @property
    def synthetic(self) -> bool:
        """Whether a session traded synthetic candles, or with a bundle that was trained on some."""
        return bool(self.document["synthetic"])

    @property
    def headline(self) -> Headline:
        """Mode, equity and trades, and how many of the success criteria are met."""
        from quorate.evaluation.report.formatting import Cell

        found = self.document
        currency = found["currency"]
        judged = [row["ok"] for row in found["criteria"]]
        start = f"start {found['start_equity_usd']:,.2f} {currency}"
        rows = (
            HeadlineRow("mode", Cell(found["mode"])),
            HeadlineRow(
                "equity",
                Cell(f"{found['equity_usd']:,.2f} {currency}"),
                start,
            ),
            HeadlineRow("positions", Cell(f"{len(found['positions'])}")),
            figure("trades", found["stats"], "n", "count"),
            *(
                [HeadlineRow("criteria met", Cell(f"{sum(ok is True for ok in judged)} of {len(judged)}"))]
                if judged
                else []
            ),
        )
        title = (
            f"Paper account {found['account']} by {found['bundle']}, {len(found['symbols'])} symbols, "
            f"{found['timeframe']}, last bar {found['last_bar'] or 'none'}"
        )
        return Headline(title, marks_of(found), rows, found["verdict"]["sentence"])

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate paper status --json`; of a run, that of `quorate paper run --json`."""
        return dict(self.document)

    def to_pandas(self, table: str = "trades") -> pd.DataFrame:
        """One of the account's tables as a pandas frame; times are in UTC.

        Args:
            table: "trades": a row a trade. "equity": in USD at the close of each bar. "decisions": a row for each bar
                of each market. "positions": those that are open. "guards": each guard's mode. "criteria": the success
                criteria.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        found = self.document
        made = {
            "trades": lambda: tables.trade_table(self.result),
            "equity": lambda: tables.equity_table(self.result),
            "decisions": lambda: tables.decision_table(self.frames),
            "positions": lambda: tables.pandas().DataFrame(found["positions"]),
            "guards": lambda: tables.pandas().DataFrame(found["guards"] or []),
            "criteria": lambda: tables.pandas().DataFrame(found["criteria"]),
        }
        return tables.table_of(made, table)


def status_of(
    status: AccountStatus,
    settings: Settings,
    *,
    whole: bool = False,
    more: Mapping[str, Any] | None = None,
) -> PaperStatus:
    """The document of an account's status.

    Args:
        status: as of the newest record that was read.
        settings: intervals and criteria.
        whole: put every trade and the equity into the document, as a backtest has them.
        more: keys of a run's document, such as `baselines`.
    """
    from quorate.evaluation.criteria import criteria
    from quorate.evaluation.metrics.decisions import decision_figures
    from quorate.evaluation.metrics.trades import trade_figures
    from quorate.evaluation.verdict import Verdict, with_verdict

    result, frames = status.history.result(), status.history.frames()
    decisions = decision_figures(frames, settings.evaluation)
    stats = trade_figures(result, settings.evaluation)
    found = status.to_json()
    if whole:  # after the session's last step
        found["session"]["running"] = False
    document = {
        **(result.to_json() if whole else {}),
        **found,
        "decisions": decisions,
        "stats": stats,
        # The criteria are those of votes and of entries with a stop.
        "criteria": [] if found["by_target"] else criteria(decisions, stats, settings.criteria),
        **(more or {}),
    }
    if document["positions"] and not stats["n"]:  # what nothing but closed trades can show is not known yet
        held = f"0 trades closed, {counted(len(document['positions']), 'position')} open: too early to say."
        return PaperStatus({**document, "verdict": Verdict(held, outcome="unclear").to_json()}, result, frames)
    return PaperStatus(with_verdict(document), result, frames)
