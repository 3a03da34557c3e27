"""Training of one member: fit, metrics and export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.calibration.direction import DirectionFit
from quorate.ensemble.measure import Measure
from quorate.ensemble.training.move_heads import MemberHead
from quorate.models import Model, StoppingRows
from quorate.models.model_files import native_bytes
from quorate.models.move_head import shrink_direction, with_move_head
from quorate.models.runtime import OnnxSession, require_same
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit

# Rows on which an export is compared with its model: fewer for longer windows.
EXPORT_ROWS, EXPORT_LEAST = 4_096, 256


def fit_member(
    model: Model,
    dataset: Dataset,
    split: TimeSplit,
    prior: FloatArray,
    measure: Measure,
    progress: Callable[[int, int], None],
    checkpoint: Path,
    stop: IntArray | None = None,
    head: MemberHead | None = None,
    start: Model | None = None,
) -> tuple[dict[str, bytes], dict[str, Any], DirectionFit | None]:
    """Fit a member, compute its metrics and export it.

    Args:
        model: not fitted.
        dataset: the rows.
        split: its parts.
        prior: class shares (3,) or mean return (1,) of the training rows.
        measure: metrics of the member's outputs.
        progress: called with steps done and steps in all.
        checkpoint: file of a network's training state.
        stop: rows for early stopping; None for the validation part.
        head: of its direction; None for the outputs as the model gives them.
        start: fitted model on older rows, at whose weights the training begins; None to begin anew.

    Returns:
        Its two files by name, the native file first; its metrics by part; and the factor of its direction. Metrics and
        graph are those with the head.

    Raises:
        ModelError: the model cannot be fitted, or its export gives other outputs.
    """
    name, window = model.name, model.window
    X, rows = dataset.read(split.train, window)
    later = None
    if model.stops_early:
        stop_X, stop_rows = dataset.read(split.validation if stop is None else stop, window)
        later = StoppingRows(stop_X, dataset.y[stop_rows]) if len(stop_rows) else None
    model.fit(X, dataset.y[rows], stopping=later, progress=progress, checkpoint=checkpoint, start=start)
    predict = model.predict_proba if model.task == "class" else model.predict
    outputs = {}
    for part, wanted in (("validation", split.validation), ("test", split.test)):
        X, rows = dataset.read(wanted, window)
        if len(rows):
            outputs[part] = (rows, predict(X))
    direction = None if head is None else head.fit(outputs.get("validation"), dataset)
    factor = 1.0 if direction is None else direction.factor
    metrics = {}
    for part, (rows, output) in outputs.items():
        headed = shrink_direction(output, factor)
        figures = measure(dataset.y[rows], headed, prior, dataset.time[rows], dataset.forward_return[rows])
        metrics[part] = {**figures, "stopped_by": later is not None and part == "validation"}
    graph = with_move_head(model.to_onnx(), factor, name)
    evenly = np.linspace(0, len(dataset) - 1, min(EXPORT_ROWS // window + EXPORT_LEAST, len(dataset)), dtype=np.int64)
    sample, _ = dataset.read(evenly, window)
    expected = shrink_direction(model.output(sample), factor)
    require_same(expected, OnnxSession(graph, sample.shape[-1], name).run(sample), name)
    return {f"{name}{model.suffix}": native_bytes(model), f"{name}.onnx": graph}, metrics, direction
