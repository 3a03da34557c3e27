"""Public functions called with arguments of wrong types: an error of Quorate that names the argument."""

import asyncio
import contextlib
import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import quorate
from quorate.core.errors import ArgumentError
from stubs.public_surface import World, calls, parameters, surface

WRONG = {
    "nothing": None,
    "number": 3,
    "negative": -1,
    "nan": float("nan"),
    "flag": True,
    "text": "text",
    "bytes": b"x",
    "path": Path("/nowhere/at/all"),
    "list": ["a"],
    "nested": [[1], [2]],
    "mapping": {"a": 1},
    "array": np.zeros((3, 2)),
    "frame": pd.DataFrame({"a": [1, 2]}),
    "object": object(),
}
# Value -> the annotations that it fits, so that it may be refused, or used.
FITS = {
    "nothing": r"\bNone\b",
    "number": r"\bint\b|\bfloat\b|Moment",
    "negative": r"\bint\b|\bfloat\b|Moment",
    "nan": r"\bfloat\b",
    "flag": r"bool|\bint\b|\bfloat\b",
    "text": r"\bstr\b|Literal|Policy|DecidedBy|Mode|Path|Data|BundleLike|BookLike|Moment|Task|Method|RecipeName",
    "bytes": r"Iterable",
    "path": r"Path|Data|BundleLike|BookLike",
    "list": r"Sequence|Iterable|Array",
    "nested": r"Sequence|Iterable|Array",
    "mapping": r"Mapping|Data|Iterable|Forecasts",
    "array": r"Array|Matrix|Target|Iterable",
    "frame": r"DataFrame|Data\b",
    "object": r"Any$",
}
# What an error is made of becomes text: it must not fail where it is raised. An enumeration of Python compares a value
# with its members before it asks its class.
LEFT_OUT = {*(("QuorateError", value) for value in WRONG), ("Action", "array"), ("Action", "frame")}
# Work that a value of the right type would begin.
LONG = {
    *("backtest", "backtest_book", "demo", "download", "evaluate", "evaluate_book", "signals", "target_book"),
    *("train", "train_book", "train_rolling", "walk_forward"),
}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return calls(World(tmp_path_factory.mktemp("world")))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def error_of(function, arguments):
    """The error of a call to its end: generators, contexts and coroutines check only where they begin."""
    try:
        call(function, arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test says where
        return error
    return None


def call(function, arguments):
    result = function(**arguments)
    if inspect.iscoroutine(result):
        asyncio.run(result)
    elif inspect.isgenerator(result):
        next(result, None)
    elif isinstance(result, contextlib.AbstractContextManager):
        with result:
            pass


def test_every_public_function_has_a_valid_call(public):
    missing = surface().keys() - public.keys()
    assert not missing, f"add a valid call of each of {sorted(missing)} to tests/stubs/public_surface.py"
    assert not public.keys() - surface().keys()


@pytest.mark.parametrize("name", surface())
def test_wrong_types_are_refused(name, public):
    function, given = public[name]
    for argument, annotation in parameters(surface()[name]).items():
        for kind, wrong in WRONG.items():
            fits = re.search(FITS[kind], annotation)
            long = name in LONG or name.startswith("PaperAccount.")
            if (name, kind) in LEFT_OUT or (fits and long and (kind != "negative" or "Moment" in annotation)):
                continue
            where = f"{name}({argument}={kind})"
            raised = error_of(function, {**given, argument: wrong})
            assert raised is None or isinstance(raised, quorate.QuorateError), f"{where} raises {raised!r}"
            assert raised is None or "expected" in str(raised), f"{where}: {raised}"
            assert fits or raised is not None, f"{where} is accepted"
            assert fits or re.search(rf"\b{argument}\b", str(raised)), f"{where}: {raised}"


@pytest.mark.parametrize("wrong", WRONG)
def test_an_error_is_made_of_any_values(wrong):
    value = WRONG[wrong]
    assert str(value).split()[0] in str(quorate.QuorateError("x", found=value, expected=value, remedy=value))


def test_parts_of_arguments_are_checked_too():
    vote = quorate.Vote("xgboost", quorate.Action.BUY, 0.8)
    for wrong in (None, 3, "text", ["a"], float("nan")):
        with pytest.raises(quorate.QuorateError, match="votes"):
            quorate.decide([wrong])
        with pytest.raises(quorate.QuorateError, match="frames"):
            quorate.DecisionFrame.concat([wrong])
        with pytest.raises(quorate.QuorateError, match="panel"):
            quorate.check_strategy(len, {"A/USDT": wrong})
    for wrong in ("text", None, -1, float("nan")):
        with pytest.raises(quorate.QuorateError, match="weight"):
            quorate.decide([vote], weights={"xgboost": wrong})
    with pytest.raises(quorate.QuorateError, match="frames"):
        quorate.DecisionFrame.concat([])


def test_a_bundle_is_not_named_none(tmp_path):
    store = quorate.BundleStore(tmp_path)
    for wrong in (None, 3, pd.DataFrame()):
        with pytest.raises(ArgumentError, match=r"`bundle_id` of type"):
            store.path(wrong)


@pytest.mark.parametrize("wrong", ["text", np.zeros(2), object(), [1]])
def test_a_volatility_that_is_no_number_is_refused(wrong):
    with pytest.raises(ArgumentError, match="volatility"):
        quorate.decide([quorate.Vote("xgboost", quorate.Action.BUY, 0.8)], wrong)


def test_one_value_of_candles_is_taken_from_an_array():
    hours, ones = 3_600_000 * np.arange(3), np.ones(3)
    candles = quorate.Candles("A/USDT", "1h", hours, ones, ones, ones, ones, ones)
    with pytest.raises(ArgumentError, match=r"candles\.close\[10\]"):
        candles[0]
