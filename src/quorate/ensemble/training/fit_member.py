"""One member of an ensemble from its rows to its files: fitted, measured, exported."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.types import FloatArray, IntArray
from quorate.ensemble.measure import Measure
from quorate.models import Model, StoppingRows
from quorate.models.runtime import OnnxSession, require_same
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit

# Rows on which an export must say what the model says; fewer where each of them is a long window.
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
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Fit, measure and export one member: its two files, native first, and its figures by part.

    It stops early by the rows `stop`; by the whole validation part where None.
    """
    name, window = model.name, model.window
    X, rows = dataset.read(split.train, window)
    later = None
    if model.stops_early:
        unseen, its_rows = dataset.read(split.validation if stop is None else stop, window)
        later = StoppingRows(unseen, dataset.y[its_rows]) if len(its_rows) else None
    model.fit(X, dataset.y[rows], later=later, progress=progress, checkpoint=checkpoint)
    ask = model.predict_proba if model.task == "class" else model.predict
    metrics = {}
    for part, wanted in (("validation", split.validation), ("test", split.test)):
        X, rows = dataset.read(wanted, window)
        if len(rows):
            figures = measure(dataset.y[rows], ask(X), prior, dataset.time[rows], dataset.forward_return[rows])
            metrics[part] = {**figures, "stopped_by": later is not None and part == "validation"}
    graph = model.to_onnx()
    evenly = np.linspace(0, len(dataset) - 1, min(EXPORT_ROWS // window + EXPORT_LEAST, len(dataset)), dtype=np.int64)
    sample, _ = dataset.read(evenly, window)
    require_same(model.output(sample), OnnxSession(graph, sample.shape[-1], name).run(sample), name)
    return {f"{name}{model.suffix}": _native(model), f"{name}.onnx": graph}, metrics


def _native(model: Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / model.name
        model.save(path)
        return path.read_bytes()
