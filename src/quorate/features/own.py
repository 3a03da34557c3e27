"""Columns of a user's own: declared by a decorator, found in a file that the settings name or in an installed package.

    import quorate

    @quorate.feature(name="close_to_mean_24", warmup=23)
    def close_to_mean_24(bars):
        return bars.close[23:] / bars.mean_close(24) - 1

A file is named in quorate.toml (`[features] modules = ["my_features.py"]`). A package names each of its columns by an
entry point of the group "quorate.features", such as `close_to_mean_24 = "my_package.columns:close_to_mean_24"`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.arguments import FUNCTION, TEXT, require_types
from quorate.core.errors import FeatureError, QuorateError
from quorate.core.regular_files import read_regular
from quorate.core.sections.features import FeatureSettings
from quorate.core.user_modules import UserModule, load_user_module, source_digest
from quorate.features.bars import Bars
from quorate.features.column import Column

ENTRY_POINTS = "quorate.features"

# Candles of a live futures frame, and its newest rows, whose values must be those of the whole history.
LIVE_BARS = 498
LIVE_ROWS = 120
_LONGEST_WARMUP = LIVE_BARS - LIVE_ROWS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Function = Callable[[Bars], npt.ArrayLike]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureFunction:
    """A function of bars that has been declared a column; it can still be called.

    Attributes:
        name: of the column.
        warmup: leading bars that have no value.
        function: from n bars to the newest m values, n - warmup <= m <= n.
    """

    name: str
    warmup: int
    function: Function

    def __call__(self, bars: Bars) -> npt.ArrayLike:
        return self.function(bars)


def feature(*, warmup: int, name: str | None = None) -> Callable[[Function], FeatureFunction]:
    """Declare a function of `Bars` as a column of your own.

    The function gets n > `warmup` bars, oldest first, and returns the values of the newest bars as a one-dimensional
    array of numbers or flags: one for each bar, or fewer as long as only the first `warmup` are missing (what stands
    in those does not matter). A value may depend on its own bar and earlier ones, and must be finite for any valid
    candles, also where prices do not move and nothing is traded.

    Args:
        warmup: bars before a bar that its value depends on, 0 to 378: at most as many are there when a live signal is
            computed.
        name: of the column, letters, digits and underscores; None takes the function's own.

    Raises:
        FeatureError: a name or warm-up that cannot be used.

    >>> @feature(warmup=1)
    ... def rising(bars):
    ...     return bars.close[1:] > bars.close[:-1]
    >>> rising.name, rising.warmup
    ('rising', 1)
    """
    require_types("declare a column", name=(name, TEXT.optional))
    if isinstance(warmup, bool) or not isinstance(warmup, int) or not 0 <= warmup <= _LONGEST_WARMUP:
        raise FeatureError(
            "declare a column" if name is None else f"declare the column {name!r}",
            found=f"a warm-up of {warmup!r} (`warmup`)",
            expected=f"whole bars, 0 to {_LONGEST_WARMUP}",
            remedy=f"A live frame has {LIVE_BARS} candles, and its newest {LIVE_ROWS} rows must have every column.",
        )

    def declare(function: Function) -> FeatureFunction:
        require_types("declare a column", function=(function, FUNCTION))
        called = getattr(function, "__name__", "") if name is None else name
        attempted = f"declare the column {called!r}"
        if not _NAME.fullmatch(called):
            raise FeatureError(
                attempted, found=f"the name {called!r}", expected="letters, digits and underscores, no digit first"
            )
        return FeatureFunction(called, warmup, function)

    return declare


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """What identifies a column of a user's own; a bundle that was trained on it records this.

    Attributes:
        name: of the column.
        warmup: leading bars that have no value.
        module: the file, such as "my_features.py", or the module of an installed package.
        digest: SHA-256 of that file's source, in hexadecimal.
    """

    name: str
    warmup: int
    module: str
    digest: str


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A column of a user's own: where it comes from, and what computes it."""

    source: ColumnSource
    column: Column


def find_own(name: str, settings: FeatureSettings) -> OwnColumn | None:
    """The column of that name in the files of the settings, else in an installed package; None where neither has it.

    Raises:
        FeatureError: two files or packages declare the name, or an entry point does not name a declared function.
        SettingsError: a file of `features.modules` that cannot be read or fails.
    """
    installed = [_installed(point) for point in _entry_points() if point.name == name]
    found = [*(column for column in _in_files(settings) if column.source.name == name), *installed]
    if len(found) > 1:
        raise FeatureError(
            f"find the column '{name}'",
            found=f"it in {' and in '.join(column.source.module for column in found)}",
            expected="one column of that name",
        )
    return found[0] if found else None


def own_columns(settings: FeatureSettings) -> tuple[OwnColumn, ...]:
    """Every column of the files of the settings and of installed packages, in that order.

    Raises:
        FeatureError, SettingsError: as `find_own`.
    """
    installed = [_installed(point) for point in _entry_points()]
    names = dict.fromkeys(column.source.name for column in (*_in_files(settings), *installed))
    return tuple(column for name in names if (column := find_own(name, settings)) is not None)


def as_own_column(function: FeatureFunction) -> OwnColumn:
    """The column of a decorated function, for checks; without the digest that bundles record."""
    return _own(function, _module(function), digest="")


@cache
def _in_files(settings: FeatureSettings) -> tuple[OwnColumn, ...]:
    """Columns that the files declare; functions that they import from elsewhere are not theirs."""
    files = dict.fromkeys(load_user_module(path, "features.modules") for path in settings.modules)
    return tuple(column for file in files for column in _declared(file))


def _declared(file: UserModule) -> list[OwnColumn]:
    functions = dict.fromkeys(
        value
        for value in file.values()
        if isinstance(value, FeatureFunction) and _module(value) == file.module.__name__
    )
    return [_own(function, file.name, file.digest) for function in functions]


def _module(function: FeatureFunction) -> str:
    """The module whose source declares it."""
    return getattr(function.function, "__module__", None) or type(function.function).__module__


@cache
def _entry_points() -> tuple[Any, ...]:
    from importlib.metadata import entry_points  # here, because sets of the catalogue need none

    return tuple(entry_points(group=ENTRY_POINTS))


@cache
def _installed(point: Any) -> OwnColumn:
    attempted = f"use the column '{point.name}' of {point.value}"
    try:
        function = point.load()
    except (ImportError, AttributeError) as error:
        raise FeatureError(attempted, found=f"{type(error).__name__}: {error}") from error
    if not isinstance(function, FeatureFunction) or function.name != point.name:
        raise FeatureError(
            attempted,
            found=f"the column '{function.name}'" if isinstance(function, FeatureFunction) else repr(function),
            expected=f"a function declared by @quorate.feature(name={point.name!r}, ...)",
        )
    module = _module(function)
    path = Path(getattr(sys.modules[module], "__file__", None) or module)
    try:
        source = read_regular(path)
    except OSError as error:
        raise FeatureError(
            attempted,
            found=f"no source at {path}: {error.strerror or error}",
            expected="a package installed with its .py files, whose digest a bundle records",
        ) from error
    return _own(function, module, source_digest(source))


def _own(function: FeatureFunction, module: str, digest: str) -> OwnColumn:
    source = ColumnSource(function.name, function.warmup, module, digest)
    return OwnColumn(source, Column(function.name, function.warmup, _computed(function, module), alone=True))


def _computed(function: FeatureFunction, module: str) -> Callable[[Bars], Any]:
    """The function with its result checked, and its errors naming the column."""
    attempted = f"compute the column '{function.name}' of {module}"

    def compute(bars: Bars) -> npt.NDArray[Any]:
        try:
            values = np.asarray(function(bars))
        except QuorateError:
            raise
        except Exception as error:  # of a function of the user's own, which may raise anything: it is chained
            raise FeatureError(
                attempted, found=f"{type(error).__name__}: {error} with {len(bars)} bars of {bars.symbol}"
            ) from error
        least = len(bars) - function.warmup
        if values.ndim != 1 or values.dtype.kind not in "biuf" or not least <= len(values) <= len(bars):
            raise FeatureError(
                attempted,
                found=f"an array of shape {values.shape} and type {values.dtype} from {len(bars)} bars",
                expected=f"a one-dimensional array of {least} to {len(bars)} numbers or flags",
            )
        return values

    return compute
