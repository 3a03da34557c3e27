"""The sections of a model card, from a bundle's manifest and the gain of its trees.

A card has nothing that is not in the bundle, so that it can be written again at any time and is always the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from quorate.core.clock import format_ms, iso_ms, timeframe_ms
from quorate.core.text.plural import counted
from quorate.core.types import CLASS_NAMES, FloatArray
from quorate.ensemble.bundle.manifest import Manifest
from quorate.evaluation.cards.model_card import CardSection, Diagram, ModelCard, ReliabilityPoint
from quorate.evaluation.cards.reproduce import reproduce_section
from quorate.evaluation.feature_groups import feature_groups
from quorate.evaluation.report.agreement_table import agreement_table
from quorate.evaluation.report.formatting import Cell, Table, cell, text_of
from quorate.models.pretraining import marks

_TEST = "test"

# Columns in the table of single ones.
_COLUMNS_SHOWN = 10

# Fewer days than these say little about other times.
_FEW_DAYS = 30


def make_card(manifest: Manifest, gains: Mapping[str, FloatArray]) -> ModelCard:
    """The card of a bundle.

    Args:
        manifest: of the bundle.
        gains: member of boosted trees -> (F,) share of each column in the gain of its splits.
    """
    kind = "A vote" if manifest.recipe == "vote" else "A stack"
    members = ", ".join(member.model for member in manifest.members)
    return ModelCard(
        bundle=manifest.id,
        title=f"Bundle {manifest.id}",
        summary=f"{kind} of {members} on {manifest.timeframe} bars of {_count(manifest.symbols, 'market')}, "
        f"trained on {format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}.",
        synthetic=manifest.synthetic,
        sections=tuple(
            section
            for section in (
                _what(manifest),
                _data(manifest),
                _features(manifest),
                _metrics(manifest),
                _calibration(manifest),
                _importance(manifest, gains),
                _limits(manifest),
                reproduce_section(manifest),
            )
            if section is not None
        ),
    )


def _what(manifest: Manifest) -> CardSection:
    target = manifest.target
    if manifest.recipe == "stack":
        stack = manifest.stack
        text = [
            f"Each member predicts the return over the next {manifest.horizon} bars; the stack combines them by "
            f"{stack.get('method', 'weights')}.",
            "It acts where the size of the predicted return exceeds the cost of a round trip.",
        ]
    else:
        text = [
            f"Each member scores three classes of the return over the next {manifest.horizon} bars: BUY above "
            f"{target.band:.2%}, SELL below -{target.band:.2%}, HOLD between.",
            f"Decided by the policy {manifest.decides}"
            + (f", because {manifest.closed_because}." if manifest.closed_because else ".")
            + f" Quorum {manifest.policy.quorum:.0%} of the members, floor {manifest.policy.floor:.0%}.",
        ]
    rows = tuple(
        (
            Cell(member.model),
            Cell(f"{manifest.policy.weight(member.model):g}"),
            Cell(member.failure or f"{member.native}, {member.graph}"),
        )
        for member in manifest.members
    )
    return CardSection("What it is", tuple(text), (Table("Members", ("member", "weight in a vote", "files"), rows),))


def _data(manifest: Manifest) -> CardSection:
    rows = manifest.rows
    facts = {
        "markets": ", ".join(manifest.symbols),
        "bars": manifest.timeframe + (", synthetic" if manifest.synthetic else ""),
        "first bar": iso_ms(manifest.training_start),
        "last bar whose close a label reads": iso_ms(manifest.training_end),
        "candles, rows with a label": f"{rows.get('candles', 0):,}, {rows.get('labelled', 0):,}",
        "rows that trained, validated and tested": ", ".join(
            f"{rows.get(part, 0):,}" for part in ("train", "validation", _TEST)
        ),
    }
    if manifest.class_prior:
        facts["classes of the training rows"] = ", ".join(
            f"{name} {share:.1%}" for name, share in zip(CLASS_NAMES, manifest.class_prior, strict=True)
        )
    return CardSection(
        "Data",
        ("Parts follow each other in time; rows whose label reaches into the next part are left out.",),
        (_facts("Training data", facts),),
    )


def _features(manifest: Manifest) -> CardSection:
    groups = feature_groups(manifest.feature_names)
    rows = tuple((Cell(group.name), Cell(", ".join(group.columns))) for group in groups)
    return CardSection(
        "Features",
        (
            f"The set {manifest.features_title}, {_count(manifest.feature_names, 'column')}, SHA-256 "
            f"{manifest.feature_hash[:16]}... A column at a bar reads closed bars up to it.",
        ),
        (Table("Columns by group", ("group", "columns"), rows),),
    )


def _metrics(manifest: Manifest) -> CardSection | None:
    found = dict(_tested(manifest))
    if not found:
        return None
    text = (
        "On the test rows, which are later than all rows that members were fitted on or stopped by. Intervals are 95 % "
        "by a bootstrap over blocks of time, unless settings said otherwise.",
    )
    if manifest.recipe == "stack":
        zero = manifest.metrics.get("predict_zero", {}).get(_TEST, {})
        columns = ("", "RMSE, %", "predicting zero, RMSE, %", "R2 against zero", "rank IC")
        returns = tuple(
            (
                Cell(name),
                cell(own, "rmse_pct", "loss"),
                cell(zero, "rmse_pct", "loss"),
                cell(own, "r2_vs_zero", "percent"),
                cell(own, "rank_ic", "number"),
            )
            for name, own in found.items()
        )
        return CardSection("Metrics", text, (Table("Returns", columns, returns),))
    scores = tuple((Cell(name), *_score_cells(own)) for name, own in found.items())
    together = agreement_table(manifest.metrics.get("agreement"))
    names = (
        "member",
        "log-loss",
        "class prior's",
        "skill",
        "of volatility",
        "of direction",
        "AUC",
        "calibration error",
    )
    beside = Table("Scores beside the shares of the classes", names, scores)
    return CardSection("Metrics", text, (beside, together) if together.rows else (beside,))


def _score_cells(own: Mapping[str, Any]) -> tuple[Cell, ...]:
    parts = own.get("skill") or {}
    return (
        cell(own, "log_loss", "loss"),
        cell(own, "prior_log_loss", "loss"),
        cell(own, "skill_vs_prior", "percent"),
        cell(parts, "volatility", "percent"),
        cell(parts, "direction", "percent"),
        cell(own, "auc", "loss"),
        cell(own, "ece", "loss"),
    )


def _calibration(manifest: Manifest) -> CardSection | None:
    diagrams = tuple(
        Diagram(name, tuple(_points(own["reliability"]))) for name, own in _tested(manifest) if own.get("reliability")
    )
    maps: Mapping[str, Any] = manifest.metrics.get("probabilities", {}).get("maps", {})
    tables: list[Table] = []
    if maps:
        rows = tuple(
            (Cell(name), Cell(str(own.get("kind", ""))), Cell(f"{own.get('rows', 0):,}")) for name, own in maps.items()
        )
        tables.append(Table("Maps from scores to probabilities, fitted out of fold", ("", "map", "rows"), rows))
    if not diagrams and not tables:
        return None
    text = (
        ("Raw scores of the winning class on the test rows, against the share on which it came true.",)
        if diagrams
        else ()
    )
    return CardSection("Calibration", text, tuple(tables), diagrams)


def _points(bins: list[dict[str, Any]]) -> Iterator[ReliabilityPoint]:
    for own in bins:
        low, high = own.get("correct_ci") or (own["correct"], own["correct"])
        yield ReliabilityPoint(own["score"], own["correct"], low, high, own["rows"])


def _importance(manifest: Manifest, gains: Mapping[str, FloatArray]) -> CardSection | None:
    if not gains:
        return None
    groups = feature_groups(manifest.feature_names)
    by_group = tuple(
        (Cell(group.name), *(Cell(text_of(own[list(group.places)].sum(), "odds")) for own in gains.values()))
        for group in groups
    )
    mean = np.mean(list(gains.values()), axis=0)
    largest = tuple(
        (Cell(manifest.feature_names[place]), *(Cell(text_of(own[place], "odds")) for own in gains.values()))
        for place in np.argsort(-mean, kind="stable")[:_COLUMNS_SHOWN]
    )
    return CardSection(
        "Importance",
        (
            "Share of each group and column in what the splits of the boosted trees gained on the training rows. It "
            "says what trees were built from, not what helps on later bars. For any member on later bars: quorate "
            "evaluate --bundle --report.",
        ),
        (Table("Groups", ("group", *gains), by_group), Table("Largest columns", ("column", *gains), largest)),
    )


def _limits(manifest: Manifest) -> CardSection:
    text = ["The bundle refuses bars of its training span, and markets of other timeframes."]
    if manifest.synthetic:
        text.append("It was trained on generated candles: its figures say nothing about any market.")
    text += [f"{mark}." for mark in marks(manifest.pretrained, manifest.training_start)]
    if failed := [member for member in manifest.members if member.failure]:
        text += [f"{member.model} was not trained ({member.failure}): it abstains." for member in failed]
    if manifest.closed_because:
        text.append(f"It never acts: {manifest.closed_because}.")
    unproven = [
        name
        for name, own in _tested(manifest)
        if (ends := (own.get("skill") or {}).get("direction_ci")) is not None and ends[0] <= 0
    ]
    if unproven:
        text.append(
            f"The test shows no skill in telling the direction of {', '.join(unproven)}: what is known is how far the "
            "price will move, not where to."
        )
    lost = [
        name
        for name, own in _tested(manifest)
        if (ends := own.get("skill_vs_prior_ci") or own.get("r2_vs_zero_ci")) is not None and ends[0] <= 0
    ]
    if lost:
        text.append(f"The test does not show that {', '.join(lost)} beat the baseline: the interval reaches 0.")
    days = _days(manifest)
    few = f"; {days} days are few" if days < _FEW_DAYS else ""
    text.append(
        f"It was tested on the last {counted(days, 'day')} or so of its span, on "
        f"{manifest.rows.get(_TEST, 0):,} rows of {_count(manifest.symbols, 'market')} that move together{few}. Later "
        "markets may differ; figures age."
    )
    text.append("Markets that it was not trained on are predicted, and marked.")
    return CardSection("Limits", tuple(text))


def _tested(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and figures on the test rows of each member, and of the stack."""
    names = [member.model for member in manifest.members if member.failure is None]
    for name in (*names, "stack"):
        own = manifest.metrics.get(name, {})
        if isinstance(own, Mapping) and isinstance(own.get(_TEST), Mapping):
            yield name, own[_TEST]


def _days(manifest: Manifest) -> int:
    """About how many days the test rows cover."""
    labelled = max(1, manifest.rows.get("labelled", 0))
    bars = (manifest.training_end - manifest.training_start) / timeframe_ms(manifest.timeframe)
    share = manifest.rows.get(_TEST, 0) / labelled
    return round(share * bars * timeframe_ms(manifest.timeframe) / 86_400_000)


def _facts(title: str, facts: Mapping[str, str]) -> Table:
    return Table(title, ("", ""), tuple((Cell(name), Cell(value)) for name, value in facts.items()))


def _count(items: tuple[str, ...], noun: str) -> str:
    return counted(len(items), noun)
