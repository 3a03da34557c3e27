"""Who voted when in a walk-forward, and what each member and the ensemble lost there."""

from __future__ import annotations

from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.settings import Settings
from quorate.core.types import FloatArray
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import row_log_loss
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.walk_result import WalkResult


def selection_figures(walk: WalkResult, settings: Settings) -> dict[str, Any] | None:
    """Terms, days of each member, and the log-loss of the members that vote beside that of fixed sets; JSON-safe.

    All figures are of the labelled tested rows on which every set has a score. None where all members vote.
    """
    membership, rows = walk.membership, walk.rows
    if not membership.applies(walk.members):
        return None
    start, end = walk.start + rows.bar_ms, int(rows.time.max()) + rows.bar_ms
    tested = np.concatenate([fold.test for fold in walk.folds])
    tested = tested[rows.known[tested]]
    scores = {name: walk.scores[name][tested] for name in walk.members}
    voting, _ = membership.split(scores, rows.time[tested] + rows.bar_ms)
    first = walk.members[: membership.size]
    tables = {
        "selected": mean_scores(voting, settings.vote),
        "first": mean_scores({name: scores[name] for name in first}, settings.vote),
        "all": mean_scores(scores, settings.vote),
    }
    y = rows.y[tested]
    losses = {name: row_log_loss(y, table) for name, table in tables.items()}
    prior = row_log_loss(y, walk.prior[tested])
    whole = np.asarray(np.isfinite(np.stack([*losses.values(), prior])).all(axis=0))
    blocks = TimeBlocks(rows.time[tested], settings.evaluation).select(whole)
    share = walk.membership.rows(np.arange(start, end, rows.bar_ms), walk.members).mean(axis=0)
    terms = membership.terms
    return {
        "settings": {
            "size": membership.size,
            "days": settings.select.days,
            "margin": settings.select.margin,
            "tenure_days": settings.select.tenure_days,
            "swaps": settings.select.swaps,
        },
        "from": iso_ms(start),
        "to": iso_ms(end),
        "changes": sum(term.start > start for term in terms),
        "terms": membership.to_json(),
        "days": {
            name: round(float(part) * (end - start) / DAY_MS, 2) for name, part in zip(walk.members, share, strict=True)
        },
        "rows": int(whole.sum()),
        "log_loss": {name: float(loss[whole].mean()) if whole.any() else None for name, loss in losses.items()},
        "saved": {
            name: _saved(losses[name][whole] - losses["selected"][whole], prior[whole], blocks)
            for name in ("first", "all")
        },
        "first": list(first),
    }


def _saved(difference: FloatArray, prior: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """By how much less the members that vote lose than a fixed set, as a share of the prior's log-loss."""
    if not len(difference):
        return {"skill": None, "skill_ci": None}
    interval = blocks.interval(blocks.ratios(difference, prior))
    return {
        "skill": float(difference.mean() / prior.mean()),
        "skill_ci": None if interval is None else list(interval),
    }
