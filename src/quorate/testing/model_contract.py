"""Requirements of every model: shapes, class order, files, refusals, weights and the ONNX export.

Each function below is one requirement: it takes a `ModelUnderTest` and raises `ContractError` when it is not met.
`quorate.testing.model_checks` yields these and those of `bundle_contract` for one registered model.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.core.types import Action
from quorate.models.base import Task
from quorate.models.runtime import OnnxSession, require_same
from quorate.testing.contract_check import Check
from quorate.testing.model_under_test import ROWS, ModelUnderTest

# An export must run without these and without the package of the model itself.
TRAINING_LIBRARIES = (
    "torch",
    "xgboost",
    "lightgbm",
    "catboost",
    "fracast",
    "sklearn",
    "scipy",
    "pandas",
    "onnx",
    "onnxmltools",
)


def checks(name: str, settings: ModelSettings | None = None) -> Iterator[Check]:
    """Every requirement of the model registered under a name, for both tasks, without a bundle.

    Args:
        name: as registered.
        settings: of models; smaller ones than the defaults make the checks faster.

    Raises:
        ModelError: no such model.
    """
    for task in get_args(Task):
        subject = ModelUnderTest(name, task, settings)
        for requirement in REQUIREMENTS:
            yield Check(requirement, subject)


def is_described(s: ModelUnderTest) -> None:
    """The class declares its registered name, a file suffix and a window of at least one bar."""
    s.require(s.member.name == s.name, f"name {s.member.name!r}", f"{s.name!r}, as registered")
    valid = s.member.suffix.startswith(".") and s.member.suffix != ".onnx"
    s.require(valid, f"suffix {s.member.suffix!r}", "a suffix with its dot, other than .onnx")
    s.require(s.new().window >= 1, f"window {s.new().window}", "at least 1 bar")


def returns_the_declared_shapes(s: ModelUnderTest) -> None:
    """Outputs are (B, 3) scores that sum to 1, or (B,) returns; float64 and finite."""
    found = s.predict(s.fitted, s.X)
    shape = (ROWS, 3) if s.task == "class" else (ROWS,)
    s.require(found.shape == shape and found.dtype == np.float64, f"{found.shape} {found.dtype}", f"{shape} float64")
    s.require(bool(np.isfinite(found).all()), "values that are not finite", "finite values")
    s.require(s.fitted.columns == s.features, f"columns {s.fitted.columns}", f"{s.features}, as fitted")
    if s.task == "class":
        off = np.abs(found.sum(axis=1) - 1).max()
        s.require(off < 1e-6 and found.min() >= 0, f"sums that differ from 1 by {off:.2g}", "scores that sum to 1")


def learns_in_class_order(s: ModelUnderTest) -> None:
    """A positive forward return is BUY, the last column, and a negative one SELL, the first; if it is directional."""
    if not s.member.directional:
        return
    found = s.predict(s.fitted, s.X)
    direction = found[:, Action.BUY] - found[:, Action.SELL] if s.task == "class" else found
    correlation = float(np.corrcoef(direction, s.signal)[0, 1])
    s.require(correlation > 0.5, f"a correlation of {correlation:.2f} with the signal of the return", "more than 0.5")


def keeps_the_column_of_an_absent_class(s: ModelUnderTest) -> None:
    """Fitted without any SELL row, scores still have three columns, and SELL scores near 0."""
    if s.task == "class":
        y = np.where(s.y == Action.SELL, Action.HOLD, s.y).astype(np.int8)
        found = s.new().fit(s.X, y).predict_proba(s.X)
        s.require(found.shape == (ROWS, 3), f"shape {found.shape}", f"({ROWS}, 3)")
        highest = found[:, Action.SELL].max()
        s.require(highest < 0.1, f"SELL at {highest:.2f}", "less than 0.10 for a class without training rows")


def is_reproducible(s: ModelUnderTest) -> None:
    """Two fits with one seed give byte-identical files."""
    for one, other, what in zip(s.files(s.fitted), s.files(s.fit()), ("file", "graph"), strict=True):
        s.require(one == other, f"another {what} from the same seed", "the same bytes")


def refits_from_scratch(s: ModelUnderTest) -> None:
    """A second fit gives the same model as that fit alone."""
    again = s.new().fit(s.X[::-1].copy(), s.y).fit(s.X, s.y)
    s.require(
        s.files(again)[0] == s.files(s.fitted)[0],
        "a file that depends on an earlier fit",
        "the file of the last fit alone",
    )


def loads_what_it_saved(s: ModelUnderTest) -> None:
    """A saved and loaded model gives the same outputs and saves the same file again."""
    content, graph = s.files(s.fitted)
    loaded = s.load(content)
    s.require_equal(s.predict(loaded, s.X), s.predict(s.fitted, s.X), 0.0, "after loading")
    s.require(loaded.columns == s.features, f"columns {loaded.columns} after loading", str(s.features))
    s.require(s.files(loaded) == (content, graph), "other files after loading", "the same bytes")


def writes_no_pickle(s: ModelUnderTest) -> None:
    """The file cannot run code when it is read."""
    content = s.files(s.fitted)[0]
    pickled = content.startswith(b"\x80") or (content.startswith(b"PK") and b".pkl" in content)
    s.require(not pickled, "a pickle", "a format that holds data only")


def refuses_an_invalid_file(s: ModelUnderTest) -> None:
    """Invalid bytes, a truncated file, a missing file and a file of the other task are refused."""
    content = s.files(s.fitted)[0]
    other: Task = "return" if s.task == "class" else "class"
    for invalid in (b"", b"\x00garbage", b"{}", content[: len(content) // 2]):
        with s.refuses_as_model("an invalid file"):
            s.load(invalid)
    with s.refuses_as_model("a file of the other task"):
        s.load(content, other)
    with s.refuses_as_model("a missing file"):
        s.new().load(Path("no such folder") / "model")


def refuses_use_before_fit(s: ModelUnderTest) -> None:
    """An unfitted model neither predicts nor saves."""
    for use in (lambda m: s.predict(m, s.X), lambda m: m.to_onnx(), lambda m: m.save(Path("unfitted"))):
        with s.refuses_as_model("use before fit"):
            use(s.new())
    s.require(s.new().columns is None, "columns before fit", "None")


def refuses_the_method_of_the_other_task(s: ModelUnderTest) -> None:
    """A classifier has no `predict`, a regressor no `predict_proba`."""
    with s.refuses_as_model("the method of the other task"):
        _ = s.fitted.predict(s.X) if s.task == "class" else s.fitted.predict_proba(s.X)


def refuses_other_column_counts(s: ModelUnderTest) -> None:
    """A matrix with more or fewer columns than at fit is refused, with both numbers in the message."""
    wider = np.concatenate([s.X, s.X[..., :1]], axis=-1)
    for wrong in (s.X[..., :-1], wider):
        for predict in (s.fitted.output, s.session.run):
            with s.refuses_as_model(f"{wrong.shape[-1]} columns", str(wrong.shape[-1]), str(s.features)):
                predict(wrong)
    with s.refuses_as_model("a graph of other columns", str(s.features), "14"):
        OnnxSession(s.fitted.to_onnx(), 14, s.name)
    with s.refuses_as_model("a row without its batch"):
        s.fitted.output(s.X[0])


def depends_on_column_order(s: ModelUnderTest) -> None:
    """Outputs depend on the order of the columns, in the model and in its graph; returns if it is directional."""
    if s.task == "return" and not s.member.directional:
        return
    reversed_columns = np.ascontiguousarray(s.X[..., ::-1])
    found = s.fitted.output(reversed_columns)
    s.require(
        not np.allclose(found, s.fitted.output(s.X)), "equal outputs for columns in another order", "other outputs"
    )
    s.require_equal(s.session.run(reversed_columns), found, 1e-5, "by the graph, on columns in another order")


def refuses_nan_and_infinity(s: ModelUnderTest) -> None:
    """NaN and infinity are refused by fit, by predict and by the graph."""
    for value in (np.nan, np.inf, -np.inf):
        X = s.X.copy()
        X[3, ..., 2] = value
        for use in (lambda X: s.new().fit(X, s.y), s.fitted.output, s.session.run):
            with s.refuses_as_model(f"{value} in X", "row 3"):
                use(X)
    y: Any = s.y.astype(np.float64)
    y[5] = np.nan
    with s.refuses_as_model("NaN in y"):
        s.new().fit(s.X, y)


def refuses_invalid_arguments(s: ModelUnderTest) -> None:
    """Other lengths, no rows, float64, unknown classes and invalid weights are refused."""
    ones = np.ones(ROWS)
    cases: tuple[tuple[str, Any, Any, Any], ...] = (
        ("fewer labels", s.X, s.y[:9], None),
        ("no rows", s.X[:0], s.y[:0], None),
        ("float64", s.X.astype(np.float64), s.y, None),
        ("an unknown class", s.X, s.y + 7 if s.task == "class" else s.y * np.nan, None),
        ("fewer weights", s.X, s.y, ones[:9]),
        ("a negative weight", s.X, s.y, np.append(-1.0, ones[1:])),
        ("a weight of NaN", s.X, s.y, np.append(np.nan, ones[1:])),
        ("weights of 0", s.X, s.y, 0 * ones),
    )
    for what, X, y, weight in cases:
        with s.refuses_as_model(what):
            s.new().fit(X, y, weight=weight)


def uses_weights(s: ModelUnderTest) -> None:
    """Rows with larger weights have more influence on the fit."""
    rising = s.y > (Action.HOLD if s.task == "class" else 0)
    means = []
    for heavy in (rising, ~rising):
        found = s.predict(s.fit(weight=np.where(heavy, 1.0, 1e-3)), s.X)
        means.append(float(found[:, Action.BUY].mean() if s.task == "class" else found.mean()))
    s.require(
        means[0] > means[1],
        f"means of {means[0]:.3g} and {means[1]:.3g}",
        "a larger mean with larger weights of the rising rows",
    )


def is_independent_of_the_batch(s: ModelUnderTest) -> None:
    """A row alone, a part and the whole batch give the same outputs, in the model and in its graph."""
    for predict in (s.fitted.output, s.session.run):
        whole = predict(s.X)
        for rows in (slice(0, 1), slice(7, 8), slice(100, 333), slice(ROWS - 1, ROWS)):
            s.require_equal(predict(s.X[rows]), whole[rows], 1e-6, f"on rows {rows.start} to {rows.stop} alone")


def leaves_arguments_unchanged(s: ModelUnderTest) -> None:
    """X, y and weights are unchanged after fit and predict."""
    arguments = [s.X.copy(), s.y.copy(), np.linspace(0.5, 1.5, ROWS)]
    before = [array.tobytes() for array in arguments]
    model = s.new().fit(arguments[0], arguments[1], weight=arguments[2])
    s.predict(model, arguments[0])
    for array, was, what in zip(arguments, before, ("X", "y", "weight"), strict=True):
        s.require(array.tobytes() == was, f"{what} changed", "unchanged arguments")


def reports_progress(s: ModelUnderTest) -> None:
    """Progress steps rise, up to at most the announced total."""
    steps: list[tuple[int, int]] = []
    s.fit(progress=lambda done, total: steps.append((done, total)))
    done = [step for step, _ in steps]
    rising = bool(steps) and done == sorted(done) and steps[-1][0] <= steps[-1][1]
    s.require(rising, f"steps {steps[-3:]}", "rising steps up to their total")


def exports_the_same_outputs(s: ModelUnderTest) -> None:
    """The graph's outputs equal the model's within 1e-5, also on rows near and far from those it was fitted on."""
    neighbours = [np.nextafter(s.X, np.float32(side)) for side in (np.inf, -np.inf)]
    X = np.concatenate([s.X, *neighbours, 30 * s.X])
    try:
        require_same(s.fitted.output(X), s.session.run(X), s.name)
    except ModelError as error:
        s.require(False, error.found, error.expected)


def runs_without_training_libraries(s: ModelUnderTest) -> None:
    """The export runs, with the same outputs, in a process where no training library can be imported."""
    blocked = sorted({*TRAINING_LIBRARIES, s.member.__module__.partition(".")[0]} - {"quorate"})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "graph").write_bytes(s.fitted.to_onnx())
        np.save(folder / "X.npy", s.X)
        code = (
            f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
            "import numpy as np; from pathlib import Path; from quorate.models.runtime import OnnxSession\n"
            f"folder = Path({name!r}); X = np.load(folder / 'X.npy')\n"
            f"np.save(folder / 'found.npy', OnnxSession((folder / 'graph').read_bytes(), {s.features}, 'it').run(X))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
        s.require(done.returncode == 0, done.stderr.strip()[-300:], "an export without training libraries")
        s.require_equal(np.load(folder / "found.npy"), s.session.run(s.X), 0.0, "in another process")


REQUIREMENTS: tuple[Callable[[ModelUnderTest], None], ...] = (
    is_described,
    returns_the_declared_shapes,
    learns_in_class_order,
    keeps_the_column_of_an_absent_class,
    is_reproducible,
    refits_from_scratch,
    loads_what_it_saved,
    writes_no_pickle,
    refuses_an_invalid_file,
    refuses_use_before_fit,
    refuses_the_method_of_the_other_task,
    refuses_other_column_counts,
    depends_on_column_order,
    refuses_nan_and_infinity,
    refuses_invalid_arguments,
    uses_weights,
    is_independent_of_the_batch,
    leaves_arguments_unchanged,
    reports_progress,
    exports_the_same_outputs,
    runs_without_training_libraries,
)
