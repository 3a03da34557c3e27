"""The gate between a new bundle and the champion's place.

A challenger passes if, on the newest bars that neither bundle's training has used for anything,

- its loss is not above the champion's: the one-sided upper bound of the mean paired difference, from a block bootstrap
  over days of all symbols, is within a margin (a test of non-inferiority: too little evidence does not pass);
- its probabilities are calibrated: their calibration error is within its bound, or not above the champion's;
- all its members were trained, or as many as its quorum needs;
- there are enough such bars.

`benchmarks/retrain_gate.py` measures how many pass: 9 % where the loss is above the champion's by exactly the margin,
since days depend on those before them.

Reference: Politis and Romano (1994), The stationary bootstrap; Walker and Nowacki (2011), Understanding equivalence and
noninferiority testing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS, format_ms, iso_ms, timeframe_ms
from quorate.core.progress import Progress, silent
from quorate.core.settings import Settings
from quorate.core.types import Candles
from quorate.ensemble.inference import Bundle
from quorate.evaluation.metrics.classification import ece
from quorate.evaluation.statistics.block_bootstrap import FEWEST_BLOCKS, TimeBlocks
from quorate.lifecycle.retrain.paired_losses import PairedLosses, paired_losses, unseen_from


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One condition.

    Attributes:
        name: rows, members, loss or calibration.
        found, required: in words.
    """

    name: str
    passed: bool
    found: str
    required: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """The judgement of a challenger.

    Attributes:
        checks: in order.
        start, end: of the bars that both were measured on, ms; the last excluded.
        rows, days: labelled rows with two predictions, and blocks of time.
        figures: losses, their difference with its bounds, calibration errors; None where there is no figure.
        notes: what a reader has to know, a sentence each.
    """

    checks: tuple[GateCheck, ...]
    start: int
    end: int
    rows: int
    days: int
    figures: Mapping[str, float | None]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every condition holds."""
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """One sentence: the failed conditions, or the loss."""
        told = [check for check in self.checks if not check.passed] or [
            check for check in self.checks if check.name == "loss"
        ]
        return "; ".join(
            f"{check.found}, {'within' if check.passed else 'required:'} {check.required}" for check in told
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values for the record."""
        return {
            "passed": self.passed,
            "from": iso_ms(self.start),
            "to": iso_ms(self.end),
            "rows": self.rows,
            "days": self.days,
            "figures": dict(self.figures),
            "checks": [asdict(check) for check in self.checks],
            "notes": list(self.notes),
        }


def judge(
    challenger: Bundle,
    champion: Bundle,
    panel: Mapping[str, Candles],
    end: int,
    settings: Settings,
    progress: Progress = silent,
) -> GateResult:
    """Judge a challenger against the champion.

    Where the champion has used rows that the challenger has not, these are left out, and the result says so.

    Args:
        challenger: loaded.
        champion: loaded, of the same recipe, timeframe and target.
        panel: symbol -> candles up to `end`, with those that warm features up.
        end: ms, exclusive.
        settings: of the gate, the bootstrap and the split that trained the challenger.
        progress: of predicting.
    """
    manifests = (challenger.manifest, champion.manifest)
    first = unseen_from(manifests, settings)
    notes = []
    if champion.manifest.used_until > challenger.manifest.used_until:
        own = unseen_from((challenger.manifest,), settings)
        notes.append(
            f"The champion's training used bars of {format_ms(own)} to {format_ms(min(first, end))}: they are left out."
        )
    losses = paired_losses(challenger, champion, panel, first, progress)
    if losses.y is not None and not losses.calibrated:
        notes.append("The members' mean scores are compared: not both bundles have calibrated probabilities.")
    manifest = challenger.manifest
    judged = judge_losses(losses, manifest.horizon * timeframe_ms(manifest.timeframe), settings)
    failures = challenger.members.failures
    members = members_check(len(challenger.members), failures, challenger.quorum)
    checks = (judged.checks[0], members, *judged.checks[1:])
    return GateResult(checks, first, end, len(losses), judged.blocks, judged.figures, tuple(notes))


@dataclass(frozen=True, slots=True)
class JudgedLosses:
    """What the losses say: checks of the rows, the loss and the calibration, their figures, and the blocks of time."""

    checks: tuple[GateCheck, ...]
    figures: Mapping[str, float | None]
    blocks: int


def judge_losses(losses: PairedLosses, label_ms: int, settings: Settings) -> JudgedLosses:
    """Judge a challenger by its losses beside the champion's.

    Args:
        losses: of both on the same rows.
        label_ms: length of a label. Blocks of the bootstrap are days, and at least as long.
        settings: of the gate and the bootstrap.
    """
    evaluation = settings.evaluation
    own = replace(
        evaluation,
        block_hours=max(evaluation.block_hours, -(-label_ms // HOUR_MS)),
        # Of a central interval that ends at the one-sided bounds.
        confidence=max(0.5, 2 * settings.retrain.confidence - 1),
    )
    blocks, figures = TimeBlocks(losses.time, own), dict[str, float | None]()
    checks = (
        _rows_check(losses, blocks, settings),
        _loss_check(losses, blocks, settings, figures),
        *_calibration_checks(losses, settings, figures),
    )
    return JudgedLosses(checks, figures, blocks.count)


def members_check(total: int, failures: Mapping[str, str], quorum: int) -> GateCheck:
    """Whether as many members can vote as have to agree.

    Args:
        total: configured members.
        failures: member -> why it was not trained or cannot be loaded.
        quorum: members that have to agree.
    """
    loaded = total - len(failures)
    failed = "; ".join(f"{model}: {why}" for model, why in failures.items())
    return GateCheck(
        "members",
        loaded >= max(quorum, min(2, total)),
        f"{loaded} of {total} members" + (f" ({failed})" if failed else ""),
        f"at least {quorum}, its quorum",
    )


def _rows_check(losses: PairedLosses, blocks: TimeBlocks, settings: Settings) -> GateCheck:
    fewest = settings.bundle.evidence
    return GateCheck(
        "rows",
        len(losses) >= fewest and blocks.enough,
        f"{len(losses):,} rows in {blocks.count} blocks of time that neither training has used",
        f"at least {fewest:,} rows in {FEWEST_BLOCKS} blocks",
    )


def _loss_check(
    losses: PairedLosses, blocks: TimeBlocks, settings: Settings, figures: dict[str, float | None]
) -> GateCheck:
    name = "log-loss" if losses.y is not None else "squared error in percent^2"
    margin = settings.retrain.margin
    if not len(losses):
        figures |= {"loss": None, "champion_loss": None, "difference": None, "lower": None, "upper": None}
        return GateCheck("loss", False, "no row", "a loss")
    apart = losses.new - losses.old
    interval = blocks.interval(blocks.means(apart))
    old, difference = float(losses.old.mean()), float(apart.mean())
    lower, upper = (None, None) if interval is None else interval
    figures |= {
        "loss": float(losses.new.mean()),
        "champion_loss": old,
        "difference": difference,
        "lower": lower,
        "upper": upper,
        "margin": margin * old,
    }
    bound = (
        "no bound from so few blocks" if upper is None else f"at most {upper:+.5f} at {settings.retrain.confidence:.0%}"
    )
    return GateCheck(
        "loss",
        upper is not None and upper <= margin * old,
        f"{name} {figures['loss']:.5f} against {old:.5f} of the champion, difference {difference:+.5f}, {bound}",
        f"{margin * old:+.5f}, {margin:.2%} of the champion's",
    )


def _calibration_checks(
    losses: PairedLosses, settings: Settings, figures: dict[str, float | None]
) -> tuple[GateCheck, ...]:
    if losses.y is None or losses.new_scores is None or losses.old_scores is None:
        return ()  # a stack predicts returns
    limit, bins = settings.retrain.ece, settings.evaluation.bins
    found, champion = (ece(losses.y, scores, bins) for scores in (losses.new_scores, losses.old_scores))
    known = bool(np.isfinite(found))
    figures |= {"ece": found if known else None, "champion_ece": champion if np.isfinite(champion) else None}
    return (
        GateCheck(
            "calibration",
            known and (found <= limit or found <= champion),
            f"calibration error {found:.4f}" if known else "no calibration error",
            f"{limit:g}, or {champion:.4f} of the champion",
        ),
    )
