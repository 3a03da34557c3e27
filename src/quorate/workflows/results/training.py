"""The result of a training: a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.clock import format_ms, iso_ms
from quorate.core.text.plural import counted
from quorate.core.types import CLASS_NAMES, Mode
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.models.pretraining import marks
from quorate.workflows.results import tables
from quorate.workflows.results.champion_change import ChampionStatus
from quorate.workflows.results.headline import Headline, Headlined, HeadlineRow, beside, figure
from quorate.workflows.results.listing import Lines

if TYPE_CHECKING:
    import pandas as pd

    from quorate.ensemble.bundle.manifest import Manifest
    from quorate.ensemble.training.bundle_builder import MemberResult
    from quorate.ensemble.training.timing import Stage
    from quorate.ensemble.training.train_ensemble import Trained

_TEST = "test"
_RETURN_BASELINES = ("predict_zero", "predict_mean")


@dataclass(frozen=True, slots=True, repr=False)
class TrainResult(Headlined):
    """A published bundle, and every member's figures on rows that it was not fitted on, beside its baseline's.

    Printed, or as the last line of a notebook's cell, it shows its headline.

    Attributes:
        trained: the bundle's folder, its manifest, and how each member and stage went.
        quiet_bars: symbol -> candles of one price and no volume in the span, for the symbols that have any.
        champion: of the folder, after the training; None for a bundle of a series.
        card_failure: why its card could not be written, which is no failure of the training; empty where it was.
    """

    trained: Trained
    quiet_bars: Mapping[str, int] = field(default_factory=dict)
    champion: ChampionStatus | None = None
    card_failure: str = ""

    @property
    def path(self) -> Path:
        """The bundle's folder."""
        return self.trained.path

    @property
    def id(self) -> str:
        """The bundle's id, a digest of its content."""
        return self.manifest.id

    @property
    def manifest(self) -> Manifest:
        """What the bundle holds and how it was trained."""
        return self.trained.manifest

    @property
    def members(self) -> tuple[MemberResult, ...]:
        """How each member's training went, in the order of the manifest."""
        return self.trained.members

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Wall time and peak memory of each stage."""
        return self.trained.stages

    @property
    def mode(self) -> Mode:
        """How many members were trained: full, partial (at least 2) or none."""
        return self.trained.mode

    @property
    def synthetic(self) -> bool:
        """Whether some candles are synthetic."""
        return self.manifest.synthetic

    @property
    def absent_classes(self) -> tuple[str, ...]:
        """Names of the classes that the training rows lack; empty for a stack."""
        from quorate.evaluation.metrics.classification import absent_classes

        return absent_classes(np.array(self.manifest.class_prior)) if self.manifest.class_prior else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the figures do not show, a sentence each."""
        from quorate.evaluation.metrics.classification import absent_text

        absent, manifest = self.absent_classes, self.manifest
        return (*((absent_text(absent),) if absent else ()), *marks(manifest.pretrained, manifest.training_start))

    @property
    def headline(self) -> Headline:
        """Every member on the test rows, beside its baseline."""
        manifest = self.manifest
        rows = [self._row(member) for member in self.members]
        if manifest.recipe == "stack":
            rows.append(_return_row("stack", manifest.metrics["stack"][_TEST], manifest.metrics))
        title = (
            f"Bundle {self.id}: {counted(len(manifest.symbols), 'market')}, {manifest.timeframe}, trained on "
            f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}, mode {self.mode}; "
            f"{counted(manifest.rows[_TEST], 'test row')}"
        )
        return Headline(title, (*((SYNTHETIC,) if self.synthetic else ()), *self.warnings), tuple(rows))

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate train --json`."""
        manifest = self.manifest
        return {
            "bundle": str(self.path),
            "id": manifest.id,
            **({} if self.champion is None else {"champion": self.champion.to_json()}),
            "mode": self.mode,
            "synthetic": manifest.synthetic,
            "models": {
                member.model: {
                    "ok": member.ok,
                    "seconds": round(member.seconds, 3),
                    "metrics": member.metrics,
                    "failure": member.failure,
                    "earlier": member.earlier,
                }
                for member in self.members
            },
            "rows": manifest.rows["candles"],
            "rows_by_part": dict(manifest.rows),
            "quiet_bars": dict(self.quiet_bars),
            "span": {"from": iso_ms(manifest.training_start), "to": iso_ms(manifest.training_end)},
            **({"int8": manifest.metrics["int8"]} if "int8" in manifest.metrics else {}),
            **self._recipe_json(),
            "symbols": list(manifest.symbols),
            "stages": [
                {"stage": stage.name, "seconds": round(stage.seconds, 3), "peak_mib": round(stage.peak_mib, 1)}
                for stage in self.stages
            ],
        }

    def to_pandas(self, table: str = "metrics") -> pd.DataFrame:
        """One of the result's tables as a pandas frame.

        Args:
            table: "metrics": a row for each member and part of the rows, indexed by model and part, of a stack also for
                the stack and its baselines; intervals in the columns `<metric>_low` and `<metric>_high`, NaN where a
                figure is missing. "members": a row a member: whether it was trained, and in how many seconds.
                "stages": a row a stage: wall seconds and peak memory in MiB.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        made = {"metrics": self._metrics, "members": self._members, "stages": self._stages}
        return tables.table_of(made, table)

    def _recipe_json(self) -> dict[str, Any]:
        """Of a stack what combines its members and the baselines' figures, of a vote policy, floors and class prior."""
        manifest = self.manifest
        if manifest.recipe != "stack":
            return {
                "policy": manifest.decides,
                **({"closed_because": manifest.closed_because} if manifest.closed_because else {}),
                **({"floors": manifest.metrics["floors"]} if "floors" in manifest.metrics else {}),
                "class_prior": dict(zip(CLASS_NAMES, manifest.class_prior, strict=True)),
                "absent_classes": list(self.absent_classes),
                "warnings": list(self.warnings),
            }
        return {
            "stack": {**manifest.stack, "metrics": manifest.metrics["stack"]},
            "baselines": {name: manifest.metrics[name] for name in _RETURN_BASELINES},
        }

    def _row(self, member: MemberResult) -> HeadlineRow:
        from quorate.evaluation.report.formatting import Cell

        figures = member.metrics.get(_TEST)
        if figures is None:
            return HeadlineRow(member.model, Cell("failed", reason=member.failure or ""))
        if self.manifest.recipe == "stack":
            return _return_row(member.model, figures, self.manifest.metrics)
        prior = beside("class prior", figures, "prior_log_loss", "loss")
        return figure(f"{member.model}, log-loss", figures, "log_loss", "loss", prior)

    def _metrics(self) -> pd.DataFrame:
        parts = {member.model: member.metrics for member in self.members if member.ok}
        if self.manifest.recipe == "stack":
            parts |= {name: self.manifest.metrics[name] for name in ("stack", *_RETURN_BASELINES)}
        rows = {(model, part): figures for model, found in parts.items() for part, figures in found.items()}
        made = tables.metric_table({" ".join(name): figures for name, figures in rows.items()})
        made.index = tables.pandas().MultiIndex.from_tuples(list(rows), names=["model", "part"])
        return made

    def _members(self) -> pd.DataFrame:
        names = ("model", "ok", "seconds", "earlier", "failure")
        rows = [[getattr(member, name) for name in names] for member in self.members]
        return tables.pandas().DataFrame(rows, columns=list(names)).set_index("model")

    def _stages(self) -> pd.DataFrame:
        rows = [(stage.name, stage.seconds, stage.peak_mib) for stage in self.stages]
        return tables.pandas().DataFrame(rows, columns=["stage", "seconds", "peak_mib"]).set_index("stage")


def _return_row(name: str, figures: Mapping[str, Any], metrics: Mapping[str, Any]) -> HeadlineRow:
    zero = beside("predicting zero", metrics["predict_zero"][_TEST], "rmse_pct", "loss")
    return figure(f"{name}, RMSE of returns in percent", figures, "rmse_pct", "loss", zero)


def figures_on_test_rows(trained: TrainResult) -> Lines:
    """Every member's figures on the test rows beside its baseline's, a row a member; of a stack the stack's too."""
    from quorate.evaluation.report.formatting import cell

    manifest = trained.manifest
    stacked = manifest.recipe == "stack"
    found = {member.model: (member.metrics.get(_TEST), member.failure or "") for member in trained.members}
    if stacked:
        found["stack"] = (manifest.metrics["stack"][_TEST], "")
    rows = []
    for name, (figures, failure) in found.items():
        if figures is None:
            rows.append((name, "failed", "", "", "", failure))
            continue
        if stacked:
            own = cell(figures, "r2_vs_zero", "percent")
            first, second = cell(figures, "rmse_pct", "loss"), cell(_zero(manifest.metrics), "rmse_pct", "loss")
        else:
            own = cell(figures, "skill_vs_prior", "percent")
            first, second = cell(figures, "log_loss", "loss"), cell(figures, "prior_log_loss", "loss")
        rows.append((name, first.text, second.text, own.text, own.interval, own.reason or first.reason))
    columns = ("RMSE, %", "predicting 0", "R2") if stacked else ("log-loss", "class prior's", "skill")
    return Lines((*columns, "interval", ""), tuple(rows))


def _zero(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures of predicting zero on the test rows."""
    found: Mapping[str, Any] = metrics["predict_zero"][_TEST]
    return found
