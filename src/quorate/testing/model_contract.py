"""What every member promises, as checks that can be run on any of them, ours or another package's.

Each function below is one requirement: it takes a `ModelUnderTest` and raises `ContractError` when the requirement is
not met. In the tests of a package that adds a member:

    @pytest.mark.parametrize("check", checks("my_member"), ids=str)
    def test_contract(check):
        check()

`quorate.testing.bundle_contract` goes on where a bundle is needed.
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
from quorate.testing.model_subject import FEATURES, ROWS, Check, ModelUnderTest

# None of these may be needed to run an export; the member's own package is added to them.
TRAINING_LIBRARIES = ("torch", "xgboost", "lightgbm", "catboost", "sklearn", "scipy", "pandas", "onnx", "onnxmltools")


def checks(name: str, settings: ModelSettings | None = None) -> Iterator[Check]:
    """Every promise of the member registered under a name, for both tasks.

    Args:
        name: as registered.
        settings: smaller than the defaults make it quicker; no promise depends on them.

    Raises:
        ModelError: no such member.
    """
    for task in get_args(Task):
        subject = ModelUnderTest(name, task, settings)
        for promise in PROMISES:
            yield Check(promise, subject, f"{name}-{task}")


def is_described(s: ModelUnderTest) -> None:
    """The class says its registered name, a file suffix of its own and the length of its window."""
    s.keep(s.member.name == s.name, f"name {s.member.name!r}", f"{s.name!r}, as registered")
    named = s.member.suffix.startswith(".") and s.member.suffix != ".onnx"
    s.keep(named, f"suffix {s.member.suffix!r}", "a suffix of its own, with its dot")
    s.keep(s.new().window >= 1, f"window {s.new().window}", "at least 1 bar")


def gives_the_shapes(s: ModelUnderTest) -> None:
    """(B, 3) scores that are a distribution, or (B,) returns; float64 and finite."""
    found = s.ask(s.fitted, s.X)
    shape = (ROWS, 3) if s.task == "class" else (ROWS,)
    s.keep(found.shape == shape and found.dtype == np.float64, f"{found.shape} {found.dtype}", f"{shape} float64")
    s.keep(bool(np.isfinite(found).all()), "values that are not finite", "finite values")
    s.keep(s.fitted.columns == FEATURES, f"columns {s.fitted.columns}", f"{FEATURES}, as fitted")
    if s.task == "class":
        off = np.abs(found.sum(axis=1) - 1).max()
        s.keep(off < 1e-6 and found.min() >= 0, f"rows that miss 1 by {off:.2g}", "scores that sum to 1")


def learns_in_class_order(s: ModelUnderTest) -> None:
    """What rises is BUY, the last column, and what falls is SELL, the first."""
    found = s.ask(s.fitted, s.X)
    lean = found[:, Action.BUY] - found[:, Action.SELL] if s.task == "class" else found
    correlation = float(np.corrcoef(lean, s.signal)[0, 1])
    s.keep(correlation > 0.5, f"correlation {correlation:.2f} with what drives the return", "more than 0.5")


def keeps_the_column_of_an_absent_class(s: ModelUnderTest) -> None:
    """Without a single SELL there are still three columns, and SELL is hardly ever said."""
    if s.task == "class":
        y = np.where(s.y == Action.SELL, Action.HOLD, s.y).astype(np.int8)
        found = s.new().fit(s.X, y).predict_proba(s.X)
        s.keep(found.shape == (ROWS, 3), f"shape {found.shape}", f"({ROWS}, 3)")
        highest = found[:, Action.SELL].max()
        s.keep(highest < 0.1, f"SELL at {highest:.2f}", "next to nothing for a class that never was")


def is_the_same_by_its_seed(s: ModelUnderTest) -> None:
    """Two fits with one seed give the same files, to the byte."""
    for one, other, what in zip(s.files(s.fitted), s.files(s.fit()), ("file", "graph"), strict=True):
        s.keep(one == other, f"another {what} from the same seed", "the same bytes")


def forgets_an_earlier_fit(s: ModelUnderTest) -> None:
    """Fitted twice, it is what the second fit alone makes it."""
    again = s.new().fit(s.X[::-1].copy(), s.y).fit(s.X, s.y)
    s.keep(s.files(again)[0] == s.files(s.fitted)[0], "traces of an earlier fit", "what the last fit alone gives")


def comes_back_from_its_file(s: ModelUnderTest) -> None:
    """Saved and loaded it says the same, knows its columns, and saves the same file again."""
    content, graph = s.files(s.fitted)
    loaded = s.load(content)
    s.keep_same(s.ask(loaded, s.X), s.ask(s.fitted, s.X), 0.0, "after loading")
    s.keep(loaded.columns == FEATURES, f"columns {loaded.columns} after loading", str(FEATURES))
    s.keep(s.files(loaded) == (content, graph), "other files after loading", "the same bytes")


def writes_no_pickle(s: ModelUnderTest) -> None:
    """Its file cannot run code when it is read."""
    content = s.files(s.fitted)[0]
    pickled = content.startswith(b"\x80") or (content.startswith(b"PK") and b".pkl" in content)
    s.keep(not pickled, "a pickle", "a format that holds data only")


def refuses_a_file_that_is_none(s: ModelUnderTest) -> None:
    """Other bytes, half a file, no file, and a file of the other task are refused when loaded."""
    content = s.files(s.fitted)[0]
    other: Task = "return" if s.task == "class" else "class"
    for spoiled in (b"", b"\x00garbage", b"{}", content[: len(content) // 2]):
        with s.refuses("a file that is no model"):
            s.load(spoiled)
    with s.refuses("a file of the other task"):
        s.load(content, other)
    with s.refuses("a file that is not there"):
        s.new().load(Path("no such folder") / "model")


def refuses_use_before_it_is_fitted(s: ModelUnderTest) -> None:
    """It neither answers nor saves anything it has not learned."""
    for use in (lambda m: s.ask(m, s.X), lambda m: m.to_onnx(), lambda m: m.save(Path("unfitted"))):
        with s.refuses("use before fit"):
            use(s.new())
    s.keep(s.new().columns is None, "columns before fit", "None")


def refuses_the_verb_of_the_other_task(s: ModelUnderTest) -> None:
    """A classifier predicts no returns, and the other way round."""
    with s.refuses("the verb of the other task"):
        _ = s.fitted.predict(s.X) if s.task == "class" else s.fitted.predict_proba(s.X)


def counts_its_columns(s: ModelUnderTest) -> None:
    """A matrix with more or fewer columns than it was fitted on is refused, naming both numbers."""
    wider = np.concatenate([s.X, s.X[..., :1]], axis=-1)
    for wrong in (s.X[..., :-1], wider):
        for ask in (s.fitted.output, s.session.run):
            with s.refuses(f"{wrong.shape[-1]} columns", str(wrong.shape[-1]), str(FEATURES)):
                ask(wrong)
    with s.refuses("a graph of other columns", str(FEATURES), "14"):
        OnnxSession(s.fitted.to_onnx(), 14, s.name)
    with s.refuses("a row without its batch"):
        s.fitted.output(s.X[0])


def reads_its_columns_in_order(s: ModelUnderTest) -> None:
    """What a column says depends on its place, in the model and in its graph alike."""
    turned = np.ascontiguousarray(s.X[..., ::-1])
    found = s.fitted.output(turned)
    s.keep(not np.allclose(found, s.fitted.output(s.X)), "the same for columns in another order", "another answer")
    s.keep_same(s.session.run(turned), found, 1e-5, "by the graph, on columns in another order")


def refuses_rows_with_a_hole(s: ModelUnderTest) -> None:
    """NaN and infinity are refused when it learns, when it predicts, and when its graph does."""
    for hole in (np.nan, np.inf, -np.inf):
        X = s.X.copy()
        X[3, ..., 2] = hole
        for use in (lambda X: s.new().fit(X, s.y), s.fitted.output, s.session.run):
            with s.refuses(f"{hole} in X", "row 3"):
                use(X)
    y: Any = s.y.astype(np.float64)
    y[5] = np.nan
    with s.refuses("NaN in y"):
        s.new().fit(s.X, y)


def refuses_rows_that_make_no_sense(s: ModelUnderTest) -> None:
    """Other lengths, no rows, double precision, unknown classes, and weights that cannot be."""
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
        with s.refuses(what):
            s.new().fit(X, y, weight=weight)


def heeds_weights(s: ModelUnderTest) -> None:
    """Rows that weigh more are believed more: once the rising ones, once the falling ones."""
    rising = s.y > (Action.HOLD if s.task == "class" else 0)
    means = []
    for heavy in (rising, ~rising):
        found = s.ask(s.fit(weight=np.where(heavy, 1.0, 1e-3)), s.X)
        means.append(float(found[:, Action.BUY].mean() if s.task == "class" else found.mean()))
    s.keep(means[0] > means[1], f"means of {means[0]:.3g} and {means[1]:.3g}", "more where the rising rows weigh more")


def says_the_same_of_a_row_alone(s: ModelUnderTest) -> None:
    """A single row, a part and the whole batch agree, in the model and in its graph."""
    for ask in (s.fitted.output, s.session.run):
        whole = ask(s.X)
        for rows in (slice(0, 1), slice(7, 8), slice(100, 333), slice(ROWS - 1, ROWS)):
            s.keep_same(ask(s.X[rows]), whole[rows], 1e-6, f"on rows {rows.start} to {rows.stop} alone")


def changes_nothing_it_is_given(s: ModelUnderTest) -> None:
    """X, y and weights are as they were, after learning and after predicting."""
    given = [s.X.copy(), s.y.copy(), np.linspace(0.5, 1.5, ROWS)]
    before = [array.tobytes() for array in given]
    model = s.new().fit(given[0], given[1], weight=given[2])
    s.ask(model, given[0])
    for array, was, what in zip(given, before, ("X", "y", "weight"), strict=True):
        s.keep(array.tobytes() == was, f"{what} changed", "what it was given, untouched")


def tells_its_progress(s: ModelUnderTest) -> None:
    """Steps go up, and the last one is the number it said."""
    steps: list[tuple[int, int]] = []
    s.fit(progress=lambda done, total: steps.append((done, total)))
    done = [step for step, _ in steps]
    told = bool(steps) and done == sorted(done) and steps[-1][0] <= steps[-1][1]
    s.keep(told, f"steps {steps[-3:]}", "steps that go up to their total")


def exports_what_it_says(s: ModelUnderTest) -> None:
    """The graph's answers are the model's, within 1e-5, also for rows beside those it learned from."""
    beside = [np.nextafter(s.X, np.float32(side)) for side in (np.inf, -np.inf)]
    X = np.concatenate([s.X, *beside, 30 * s.X])
    try:
        require_same(s.fitted.output(X), s.session.run(X), s.name)
    except ModelError as error:
        s.keep(False, error.found, error.expected)


def runs_without_its_library(s: ModelUnderTest) -> None:
    """A process in which no training library can be imported loads the export and answers the same."""
    blocked = sorted({*TRAINING_LIBRARIES, s.member.__module__.partition(".")[0]} - {"quorate"})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "graph").write_bytes(s.fitted.to_onnx())
        np.save(folder / "X.npy", s.X)
        code = (
            f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
            "import numpy as np; from pathlib import Path; from quorate.models.runtime import OnnxSession\n"
            f"folder = Path({name!r}); X = np.load(folder / 'X.npy')\n"
            f"np.save(folder / 'found.npy', OnnxSession((folder / 'graph').read_bytes(), {FEATURES}, 'it').run(X))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        s.keep(done.returncode == 0, done.stderr.strip()[-300:], "an export that needs no training library")
        s.keep_same(np.load(folder / "found.npy"), s.session.run(s.X), 0.0, "in a process of its own")


PROMISES: tuple[Callable[[ModelUnderTest], None], ...] = (
    is_described,
    gives_the_shapes,
    learns_in_class_order,
    keeps_the_column_of_an_absent_class,
    is_the_same_by_its_seed,
    forgets_an_earlier_fit,
    comes_back_from_its_file,
    writes_no_pickle,
    refuses_a_file_that_is_none,
    refuses_use_before_it_is_fitted,
    refuses_the_verb_of_the_other_task,
    counts_its_columns,
    reads_its_columns_in_order,
    refuses_rows_with_a_hole,
    refuses_rows_that_make_no_sense,
    heeds_weights,
    says_the_same_of_a_row_alone,
    changes_nothing_it_is_given,
    tells_its_progress,
    exports_what_it_says,
    runs_without_its_library,
)
