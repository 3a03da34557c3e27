"""How well the model of a paper account does, from its journal and the candles that show the outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorate.core.clock import iso_ms
from quorate.workflows.paper.live_decisions import live_decisions_of
from quorate.workflows.results import tables
from quorate.workflows.results.headline import Headline, Headlined, HeadlineRow, beside, figure, marks_of

if TYPE_CHECKING:
    import pandas as pd

    from quorate.core.settings import Settings
    from quorate.ensemble.bundle.manifest import Manifest
    from quorate.evaluation.baselines import AccountBaselines
    from quorate.market.source import CandleSource
    from quorate.trading.paper import DecidedVotes
    from quorate.workflows.paper.measured_bundle import MeasuredBundle


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PaperPerformance(Headlined):
    """Skill of an account's model on the bars whose outcome is known by now, beside what training promised.

    Attributes:
        document: JSON-safe; the document of `quorate paper performance --json`.
    """

    document: Mapping[str, Any]

    @property
    def synthetic(self) -> bool:
        """Whether a session traded synthetic candles, or with a bundle that was trained on some."""
        return bool(self.document["synthetic"])

    @property
    def headline(self) -> Headline:
        """Skill, confidence and agreement, each beside its baseline or what training promised."""
        found, outcomes = self.document, self.document["outcomes"]
        of, agreement, promised = found["ensemble"], found["agreement"], found["promised"]["members"]
        rows = [HeadlineRow("bars with an outcome", _count(outcomes["known"]), f"{outcomes['waiting']:,} still open")]
        if of is not None:
            rows += [
                figure("log-loss", of, "log_loss", "loss", beside("class prior", of, "prior_log_loss", "loss")),
                figure("skill over the prior", of, "skill_vs_prior", "percent", "above 0 is better"),
                *(
                    figure(
                        f"skill of {name}",
                        figures,
                        "skill_vs_prior",
                        "percent",
                        beside("promised", promised.get(name), "skill_vs_prior", "percent"),
                    )
                    for name, figures in found["members"].items()
                ),
                figure("effective votes", agreement, "effective_votes", "number", f"{len(found['members'])} members"),
            ]
        rows.append(figure("mean confidence", found["decisions"], "mean_confidence", "share"))
        title = (
            f"Model {found['bundle']} in the paper account {found['account']}, {len(found['symbols'])} symbols, "
            f"{found['timeframe']}, as of {found['as_of'] or 'no bar'}"
        )
        return Headline(title, marks_of(found), tuple(rows))

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate paper performance --json`."""
        return dict(self.document)

    def with_baselines(self, baselines: AccountBaselines | None) -> PaperPerformance:
        """The same with other baselines of the account."""
        return PaperPerformance({**self.document, "baselines": None if baselines is None else baselines.document})

    def to_pandas(self, table: str = "members") -> pd.DataFrame:
        """One of the tables as a pandas frame; intervals in the columns `<figure>_low` and `<figure>_high`.

        Args:
            table: "members": a row for the ensemble and each member. "days", "weeks": skill over the prior, a row each
                for the ensemble and each member. "reliability": a row a bin. "coverage": a row a share of the signals.
                "symbols": a row a market. "mix": the consensus of decided bars. "baselines": the account and each
                baseline.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        found = self.document

        def rows(values: list[Mapping[str, Any]]) -> pd.DataFrame:
            return tables.pandas().DataFrame(list(values))

        def periods(name: str) -> pd.DataFrame:
            flat = [
                {"from": row["from"], "rows": row["rows"], "model": model, "skill_vs_prior": figures["skill_vs_prior"]}
                for row in found[name]
                for model, figures in row["models"].items()
            ]
            return tables.pandas().DataFrame(flat)

        of = {} if found["ensemble"] is None else {"ensemble": found["ensemble"], **found["members"]}
        made = {
            "members": lambda: tables.metric_table(of),
            "days": lambda: periods("by_day"),
            "weeks": lambda: periods("by_week"),
            "reliability": lambda: rows([] if found["reliability"] is None else found["reliability"]["bins"]),
            "coverage": lambda: rows(found["coverage"]),
            "symbols": lambda: rows(found["per_symbol"]),
            "mix": lambda: rows(found["mix"]),
            "baselines": lambda: rows([] if found["baselines"] is None else found["baselines"]["rows"]),
        }
        return tables.table_of(made, table)


def performance_of(
    account: str,
    votes: DecidedVotes,
    trained: MeasuredBundle,
    source: CandleSource,
    settings: Settings,
    baselines: AccountBaselines | None,
) -> PaperPerformance:
    """The performance of a bundle in an account.

    Of a live account, outcomes are those known by the clock; of a replay, those known at its newest bar, though the
    candles go on.

    Args:
        account: its name.
        votes: the account's decisions.
        trained: the bundle whose decisions are measured.
        source: of the candles; markets that it does not have count as without candles.
        settings: costs, intervals and criteria.
        baselines: of the account; None where there are none.

    Raises:
        EvaluationError: no decision of this bundle, or one that predicts returns.
        DataError: candles that cannot be read.
    """
    from quorate.evaluation.live_performance import live_figures

    manifest, counts = trained.manifest, votes.counts()
    live = live_decisions_of(account, votes, trained, source, settings)
    document = {
        "account": account,
        "bundle": trained.id,
        "timeframe": votes.timeframe,
        "symbols": list(live.frames),
        "synthetic": votes.synthetic,
        "as_of": None if votes.newest is None else iso_ms(votes.newest),
        "by_other_bundles": sum(counts.values()) - counts[trained.id],
        **live_figures(live),
        "promised": promised_of(manifest),
        "baselines": None if baselines is None else baselines.document,
    }
    return PaperPerformance(document)


def promised_of(manifest: Manifest) -> dict[str, Any]:
    """What training measured on rows that no member was fitted on, JSON-safe.

    `members` has each member's figures on the test part, the newest rows; `floors` the signals of the policy by floor.
    The ensemble's own skill is not measured in training.
    """
    parts = {member.model: manifest.metrics.get(member.model, {}).get("test") for member in manifest.members}
    names = ("n", "log_loss", "prior_log_loss", "accuracy", "skill_vs_prior", "skill_vs_prior_ci")
    floors = manifest.metrics.get("floors", {}).get("policies", {}).get(manifest.decides, {})
    return {
        "trained_to": iso_ms(manifest.training_end),
        "members": {model: {name: figures.get(name) for name in names} for model, figures in parts.items() if figures},
        "floors": floors.get("floors", []),
    }


def _count(number: int) -> Any:
    from quorate.evaluation.report.formatting import Cell

    return Cell(f"{number:,}")
