"""Members of learned sleeves fitted on all labels that were known at the end of the candles."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.sleeves.learned import LearnedSleeve
from quorate.book.sleeves.sleeve import Sleeve
from quorate.book.training.learning_rows import LearningRows
from quorate.book.training.refits import fit_member
from quorate.core.errors import BookError, ModelError
from quorate.core.progress import Progress, silent
from quorate.core.settings import ModelSettings
from quorate.models.model_files import native_bytes
from quorate.models.registry import model_class
from quorate.models.runtime import OnnxSession, require_same

_log = logging.getLogger(__name__)

# Rows on which an export is compared with its model.
_COMPARED = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class FittedBookMember:
    """A fitted member, or why there is none.

    Attributes:
        sleeve, model: of which sleeve, and its registered name.
        rows: that it was fitted on.
        seconds: of the fit and the export.
        files: file name -> content: the native file first, then the ONNX graph; empty where it failed.
        failure: why it failed; empty where it did not.
    """

    sleeve: str
    model: str
    rows: int
    seconds: float
    files: Mapping[str, bytes] = field(repr=False)
    failure: str = ""

    @property
    def graph(self) -> str:
        """Name of the ONNX file; empty where it failed."""
        return next((name for name in self.files if name.endswith(".onnx")), "")


def fit_members(
    sleeves: Sequence[Sleeve],
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    settings: ModelSettings,
    progress: Progress = silent,
) -> list[FittedBookMember]:
    """Fit every member of the learned sleeves on the labels known at the panel's last day.

    A member that cannot be fitted abstains later; its failure is logged.

    Args:
        sleeves: of the book.
        panel: of all markets.
        outcomes: of the same panel.
        settings: of all models.
        progress: called with the fits done and in all.

    Raises:
        BookError: too few rows, or fewer members of a sleeve than its quorum.
        MissingExtraError: the libraries of training are not installed.
    """
    learned = [sleeve for sleeve in sleeves if isinstance(sleeve, LearnedSleeve)]
    total = sum(len(sleeve.models) for sleeve in learned)
    fitted: list[FittedBookMember] = []
    for sleeve in learned:
        learning = LearningRows.of(sleeve, panel, outcomes)
        for name in sleeve.models:
            fitted.append(_fit(name, sleeve, learning, len(panel.time) - 1, settings))
            progress("fitting", len(fitted), total)
        able = sum(not member.failure for member in fitted if member.sleeve == sleeve.name)
        if able < sleeve.settings.quorum:
            raise BookError(
                f"train the sleeve {sleeve.name}",
                found="; ".join(f"{member.model}: {member.failure}" for member in fitted if member.failure),
                expected=f"{sleeve.settings.quorum} members or more, as book.quorum says",
            )
    return fitted


def _fit(
    name: str, sleeve: LearnedSleeve, learning: LearningRows, day: int, settings: ModelSettings
) -> FittedBookMember:
    began = time.perf_counter()
    suffix = model_class(name, settings).suffix
    try:
        model = fit_member(name, learning, day, sleeve.columns, settings)
        graph = model.to_onnx()
        evenly = np.linspace(0, len(learning.y) - 1, min(_COMPARED, len(learning.y)), dtype=np.int64)
        X = np.ascontiguousarray(learning.rows.X[evenly])
        require_same(model.output(X), OnnxSession(graph, len(sleeve.columns), name).run(X), name)
    except ModelError as error:
        _log.warning("%s of the sleeve %s abstains: %s", name, sleeve.name, error)
        return FittedBookMember(sleeve.name, name, 0, time.perf_counter() - began, {}, str(error))
    stem = f"{sleeve.name}.{name}"
    files = {f"{stem}{suffix}": native_bytes(model), f"{stem}.onnx": graph}
    rows = len(learning.known_by(day)[1])
    return FittedBookMember(sleeve.name, name, rows, time.perf_counter() - began, files)
