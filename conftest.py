"""Marks every test `unit` or `integration` by what it does, and leaves Freqtrade's files out where it is not installed.

A test is an integration test if it, a fixture of it, or a function or class of the tests that either of them uses

- uses a module that starts programs or opens connections (`PROGRAMS`),
- trains all members of an ensemble (`TRAINING`),
- runs on a database server (`SERVERS`), or is a check of a contract suite (quorate.testing), which fits models,

or if it is marked `slow` or listed in `LISTED`. Every other test is a unit test, doctests included. `make fast` runs
the unit tests and shows those that take more than a second: make such a test smaller, or list it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

import pytest

# Modules of the standard library that start programs or open connections.
PROGRAMS = {"http", "multiprocessing", "socket", "socketserver", "subprocess"}

# Functions of quorate that fit all members, once or for each fold. Those of quorate.targets only split rows.
TRAINING = {"train", "train_ensemble", "train_rolling", "walk", "walk_forward"}

# Values of a test's parameters that name a database server.
SERVERS = {"postgresql"}

# Modules and tests that do any of this where the rules above cannot see it, or that take more than a second.
LISTED = {
    "test_copy.py",  # PostgreSQL, by request.getfixturevalue
    "test_every_member_meets_the_contract",  # fits each member, through its parameter
    "test_every_setting_can_be_set_by_the_environment",
    "test_histories.py",
    "test_it_learns_a_few_windows_by_heart",
    "test_kills.py",
    "test_states.py",
    "test_the_backtest_is_the_slow_account",
}

_ROOT = Path(__file__).parent
_TEST_CODE = tuple(f"{_ROOT / name}{os.sep}" for name in ("tests", "benchmarks", "examples", "docs"))
_FREQTRADE = ("freqai_model", "freqai_strategy", "hybrid_strategy", "planned_strategy", "vote_strategy")

# Only Freqtrade's own environment can import these; elsewhere their doctests are not collected.
collect_ignore = (
    []
    if find_spec("freqtrade")
    else [f"src/quorate/integrations/freqtrade/strategies/{name}.py" for name in _FREQTRADE]
)


@pytest.hookimpl(tryfirst=True)  # before -m selects by these marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    clean: dict[int, object] = {}
    known: dict[tuple[object, ...], bool] = {}
    for item in items:
        roots = tuple(_functions(item))
        if roots not in known:
            known[roots] = _uses_a_program(roots, clean)
        item.add_marker("integration" if known[roots] or _is_listed(item) or _has_a_server_or_check(item) else "unit")


def _is_listed(item: pytest.Item) -> bool:
    names = {item.path.name, getattr(item, "originalname", item.name)}
    return bool(names & LISTED) or item.get_closest_marker("slow") is not None


def _has_a_server_or_check(item: pytest.Item) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(
        value in SERVERS if isinstance(value, str) else type(value).__module__.startswith("quorate.testing")
        for value in parameters
    )


def _functions(item: pytest.Item) -> Iterator[object]:
    """The test itself, and the functions behind all of its fixtures."""
    yield getattr(item, "obj", None)
    fixtures = getattr(item, "_fixtureinfo", None)
    for definitions in fixtures.name2fixturedefs.values() if fixtures else ():
        yield from (definition.func for definition in definitions)


def _uses_a_program(roots: Iterable[object], clean: dict[int, object]) -> bool:
    """Whether any of these, or what they name, or what that names in turn, is a program or a training.

    Args:
        roots: functions of a test.
        clean: everything that is known to lead to neither, by its identity; this call adds to it.
    """
    todo = list(roots)
    seen: dict[int, object] = {}
    while todo:
        one = todo.pop()
        if id(one) in seen or id(one) in clean:
            continue
        if _is_a_program(one):
            return True
        seen[id(one)] = one
        todo.extend(_named_by(one))
    clean.update(seen)
    return False


def _is_a_program(one: object) -> bool:
    if isinstance(one, ModuleType):
        return one.__name__.partition(".")[0] in PROGRAMS
    if not isinstance(one, type | FunctionType | BuiltinFunctionType):
        return False
    package, _, rest = (one.__module__ or "").partition(".")
    trains = package == "quorate" and not rest.startswith("targets") and one.__qualname__ in TRAINING
    return package in PROGRAMS or trains or one is os.fork or one is os.system


def _named_by(one: object) -> Iterator[object]:
    """What an object of the tests refers to; the code of src and of libraries is not looked into."""
    if isinstance(one, MethodType | partial):
        yield getattr(one, "__func__", None) or one.func
    elif isinstance(one, FunctionType):
        if hasattr(one, "hypothesis"):
            yield one.hypothesis.inner_test
        yield getattr(one, "__wrapped__", None)
        if one.__code__.co_filename.startswith(_TEST_CODE):
            names = set(_names(one.__code__))
            found = [one.__globals__[name] for name in names & one.__globals__.keys()]
            yield from found
            for module in found:
                if isinstance(module, ModuleType):
                    yield from _attributes(module, names)
    elif isinstance(one, type):
        yield from one.__mro__
        yield from vars(one).values()
    elif isinstance(one, Mapping):
        yield from one.values()
    elif isinstance(one, list | tuple | set | frozenset):
        yield from one


def _attributes(module: ModuleType, names: set[str]) -> Iterator[object]:
    """Those of a module, such as `run` of `stubs.freqtrade`; quorate's own are imported when they are asked for."""
    yield from (vars(module)[name] for name in names & vars(module).keys())
    if module.__name__ == "quorate":
        yield from (getattr(module, name) for name in names & TRAINING & set(module.__all__))


def _names(code: CodeType) -> Iterator[str]:
    """Names that a function looks up outside itself, with those of its inner functions."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
