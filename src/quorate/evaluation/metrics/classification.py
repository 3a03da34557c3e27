"""Classification metrics: `y` is (n,) int8 in class order SELL, HOLD, BUY; `scores` is (n, 3), each row summing to 1.

NaN rule: a row of `scores` that is not finite is an abstention. Every metric ignores it (see `voted`); it never counts
as HOLD. A metric that is undefined on the given rows is NaN.

Only numpy is needed, so that a frozen bundle can be evaluated where no training library is installed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quorate.core.errors import EvaluationError
from quorate.core.types import CLASS_NAMES, Action, BoolArray, FloatArray, IntArray, finite_rows, of_class
from quorate.ensemble.voting.member_votes import top_class
from quorate.evaluation.statistics.rank_correlation import average_ranks, spearman

ClassArray = npt.NDArray[np.integer]

# scikit-learn's clip: a score of exactly 0 for the true class costs 36 nats, not infinity.
_SMALLEST_SCORE = float(np.finfo(np.float64).eps)
_SUM_TOLERANCE = 1e-3  # rounding of a float32 softmax is far smaller


def check_scores(y: ClassArray, scores: FloatArray) -> None:
    """Check labels and scores.

    Args:
        y: (n,) classes.
        scores: (n, 3); a NaN row is an abstention.

    Raises:
        EvaluationError: the shapes do not match, a class is unknown, or a row is not three shares that sum to 1.
    """
    if scores.ndim != 2 or scores.shape != (len(y), len(CLASS_NAMES)):
        raise EvaluationError(
            "evaluate scores",
            found=f"labels {y.shape} and scores {scores.shape}",
            expected=f"(n,) and (n, {len(Action)})",
        )
    strange = np.flatnonzero((y < 0) | (y >= len(CLASS_NAMES)))
    if strange.size:
        raise EvaluationError(
            "evaluate scores",
            found=f"label {y[strange[0]]} in row {strange[0]}",
            expected=f"0 to {len(CLASS_NAMES) - 1} ({', '.join(CLASS_NAMES)})",
            remedy="Leave out rows without a label (their future is not known yet).",
        )
    rows = voted(scores)
    sell, hold, buy = scores.T
    outside = np.minimum(np.minimum(sell, hold), buy) < -_SUM_TOLERANCE
    outside |= np.abs(sell + hold + buy - 1) > _SUM_TOLERANCE
    wrong = np.flatnonzero(rows & outside)
    if wrong.size:
        raise EvaluationError(
            "evaluate scores",
            found=f"{scores[wrong[0]].tolist()} in row {wrong[0]}",
            expected="three scores of at least 0 that sum to 1, or NaN for an abstention",
        )


def voted(scores: FloatArray) -> BoolArray:
    """(n,) bool: rows with a vote, which are those without NaN or infinity."""
    return finite_rows(scores)


def row_log_loss(y: ClassArray, scores: FloatArray) -> FloatArray:
    """(n,) -ln of the score of the true class, in nats; NaN for abstentions."""
    chosen = of_class(scores, y)
    return np.asarray(-np.log(np.clip(np.where(voted(scores), chosen, np.nan), _SMALLEST_SCORE, 1.0)))


def row_brier(y: ClassArray, scores: FloatArray) -> FloatArray:
    """(n,) squared distance from the one-hot true class, 0 (best) to 2 (worst); NaN for abstentions.

    Source: Brier (1950), summed over the classes; divide by 2 for the two-class convention.
    """
    return np.where(voted(scores), ((scores - np.eye(len(CLASS_NAMES))[y]) ** 2).sum(axis=1), np.nan)


def row_correct(y: ClassArray, scores: FloatArray) -> FloatArray:
    """(n,) 1.0 where the largest score is of the true class, else 0.0; NaN for abstentions.

    Of equal scores HOLD counts, and where SELL and BUY tie: as in the vote.
    """
    rows = voted(scores)
    return np.where(rows, top_class(scores)[0] == y, np.nan)


def log_loss(y: ClassArray, scores: FloatArray) -> float:
    """Mean -ln of the score of the true class, in nats; lower is better.

    >>> round(log_loss(np.array([2, 0]), np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]])), 6)
    0.693147
    """
    return _mean(row_log_loss(y, scores))


def brier(y: ClassArray, scores: FloatArray) -> float:
    """Mean Brier score over all classes, 0 to 2; lower is better."""
    return _mean(row_brier(y, scores))


def accuracy(y: ClassArray, scores: FloatArray) -> float:
    """Share of voted rows whose largest score is of the true class."""
    return _mean(row_correct(y, scores))


def auc(y: ClassArray, scores: FloatArray) -> float:
    """Area under the ROC curve, one class against the rest, unweighted mean over the classes; 0.5 is no skill.

    NaN unless there are voted rows in and outside every class.
    """
    rows = voted(scores)
    return float(np.mean([binary_auc(y[rows] == action, scores[rows, action]) for action in Action]))


def binary_auc(positive: BoolArray, score: FloatArray) -> float:
    """Area under the ROC curve of `score` for `positive`, both (n,) and without NaN.

    The Mann-Whitney statistic: the share of pairs in which the positive row has the higher score; ties count half. NaN
    unless there are positive and negative rows.
    """
    return rank_auc(positive, average_ranks(score))


def rank_auc(positive: BoolArray, ranks: FloatArray) -> float:
    """`binary_auc` of a score, by its (n,) `average_ranks`."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return math.nan
    rank_sum = ranks[positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def skill_vs_prior(y: ClassArray, scores: FloatArray, prior: FloatArray) -> float:
    """1 - log-loss / log-loss of the class prior on the same rows: 1 is perfect, 0 no better than the prior.

    NaN without a vote, where the prior is certain and right, and where a true class has no share in the prior: the
    prior's loss is infinite there, and no finite loss is skill against it.

    Args:
        y: (n,) classes.
        scores: (n, 3).
        prior: (3,) class shares of the training rows, or (n, 3), one prior a row.
    """
    rows = voted(scores)
    shares = prior_scores(prior, len(y))
    if not rows.any() or unforeseen(y[rows], shares[rows]):
        return math.nan
    return skill_of(row_log_loss(y, scores), row_log_loss(y[rows], shares[rows]))


def skill_of(loss: FloatArray, reference: FloatArray) -> float:
    """1 - mean of (n,) `loss` / mean of (n,) `reference`, the losses of scores and prior; NaN where the latter is 0."""
    whole = _mean(reference)
    return 1.0 - _mean(loss) / whole if whole > 0 else math.nan


def rank_ic(scores: FloatArray, forward_return: FloatArray) -> float:
    """Rank information coefficient: Spearman's correlation of `directional_score` with the forward return, rows pooled.

    NaN if fewer than three rows have both, or one of them is constant.
    """
    direction = directional_score(scores)
    known = np.isfinite(direction) & np.isfinite(forward_return)
    return spearman(direction[known], forward_return[known]) if int(known.sum()) > 2 else math.nan


def directional_score(scores: FloatArray) -> FloatArray:
    """(n,) score of BUY minus score of SELL, -1 to 1; NaN for abstentions."""
    return np.where(voted(scores), scores[:, Action.BUY] - scores[:, Action.SELL], np.nan)


def absent_classes(prior: FloatArray) -> tuple[str, ...]:
    """Names of the classes that have no share in a prior (3,), or in some row of (n, 3).

    >>> absent_classes(np.array([0.0, 0.7, 0.3]))
    ('SELL',)
    """
    missing = (np.atleast_2d(np.asarray(prior, np.float64)) == 0).any(axis=0)
    return tuple(name for name, absent in zip(CLASS_NAMES, missing, strict=True) if absent)


def absent_text(absent: Sequence[str]) -> str:
    """A warning about classes that the training rows lack.

    >>> absent_text(["SELL"])
    'No SELL in the training rows: no model has learned it, and where it occurs no skill is counted.'
    """
    named, it = " and no ".join(absent), "it" if len(absent) == 1 else "them"
    occurs = "it occurs" if len(absent) == 1 else "they occur"
    return f"No {named} in the training rows: no model has learned {it}, and where {occurs} no skill is counted."


def unforeseen(y: ClassArray, shares: FloatArray) -> tuple[str, ...]:
    """Names of the true classes (n,) that have no share in their row of the prior (n, 3)."""
    own = of_class(shares, y) if len(y) else np.empty(0)
    classes = np.unique(np.asarray(y, np.intp)[own == 0])
    return tuple(CLASS_NAMES[place] for place in classes)


def why_no_skill(y: ClassArray, shares: FloatArray) -> str:
    """Why models cannot be compared with the prior (n, 3) on these rows; "" if they can."""
    if not len(y):
        return "no vote"
    absent = unforeseen(y, shares)
    if absent:
        return f"no {' and no '.join(absent)} in the training rows"
    if not (row_log_loss(y, shares) > 0).any():
        return "every row is of the only class of the training rows"
    return ""


def why_no_auc(y: ClassArray) -> str:
    """Why the mean AUC of the classes is unknown on these rows; "" if it is known."""
    if not len(y):
        return "no vote"
    lacking = [name for place, name in enumerate(CLASS_NAMES) if not (np.asarray(y) == place).any()]
    return f"no {' and no '.join(lacking)} in these rows" if lacking else ""


def prior_scores(prior: FloatArray, n: int) -> FloatArray:
    """(n, 3) class shares of every row, from one prior (3,) for all rows or from (n, 3).

    Raises:
        EvaluationError: a row is not three shares of at least 0 that sum to 1.
    """
    shares = np.asarray(prior, np.float64)
    k = len(CLASS_NAMES)
    if shares.shape not in ((k,), (n, k)):
        raise EvaluationError(
            "use the class prior", found=f"shape {shares.shape}", expected=f"three shares that sum to 1, or ({n}, {k})"
        )
    table = np.broadcast_to(shares, (n, k)) if n else np.atleast_2d(shares)
    sums = table[:, 0] + table[:, 1] + table[:, 2]
    wrong = np.flatnonzero(~(finite_rows(table) & (np.abs(sums - 1) < 1e-6)))
    if wrong.size:
        raise EvaluationError(
            "use the class prior", found=repr(table[wrong[0]].tolist()), expected="three shares that sum to 1"
        )
    if (table < 0).any():
        raise EvaluationError("use the class prior", found=repr(table.min()), expected="no negative share")
    return np.asarray(np.broadcast_to(shares, (n, k)))


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Reliability diagram: the winning class's score against its accuracy, in bins of equal width over 0 to 1.

    Attributes:
        low, high: (k,) float64 edges; a bin holds low < score <= high.
        score: (k,) mean winning score; NaN in an empty bin.
        correct: (k,) share of rows whose winning class is the true one; NaN in an empty bin.
        rows: (k,) int64.
    """

    low: FloatArray
    high: FloatArray
    score: FloatArray
    correct: FloatArray
    rows: IntArray

    @property
    def error(self) -> float:
        """Expected calibration error: mean |score - accuracy| over the bins, weighted by rows; NaN without rows."""
        held = self.rows > 0
        if not held.any():
            return math.nan
        return float(np.average(np.abs(self.score[held] - self.correct[held]), weights=self.rows[held]))


def reliability(y: ClassArray, scores: FloatArray, bins: int) -> Reliability:
    """Reliability diagram of the winning class over `bins` bins."""
    rows = voted(scores)
    top, correct = top_class(scores[rows])[1], row_correct(y, scores)[rows]
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, top, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    held = np.where(count > 0, count, np.nan)
    return Reliability(
        low=edges[:-1],
        high=edges[1:],
        score=np.bincount(place, top, bins) / held,
        correct=np.bincount(place, correct, bins) / held,
        rows=count.astype(np.int64),
    )


def ece(y: ClassArray, scores: FloatArray, bins: int) -> float:
    """Expected calibration error of the winning class. Source: Guo et al. (2017), arXiv 1706.04599."""
    return reliability(y, scores, bins).error


def confusion(y: ClassArray, actions: ClassArray) -> IntArray:
    """(3, 3) int64 confusion matrix: rows are true classes, columns predicted ones."""
    k = len(CLASS_NAMES)
    flat = np.bincount(np.asarray(y, np.intp) * k + np.asarray(actions, np.intp), minlength=k * k)
    return flat.reshape(k, k).astype(np.int64)


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan
