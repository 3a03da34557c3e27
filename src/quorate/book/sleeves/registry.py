"""Registry of sleeves: the built-in ones and those of installed packages.

A package registers a sleeve by an entry point of the group "quorate.sleeves" that names a subclass of `Sleeve`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.errors import BookError, close_match
from quorate.core.settings import BookSettings

ENTRY_POINTS = "quorate.sleeves"

_BUILT_IN = {
    "cross_section": ("quorate.book.sleeves.cross_section.sleeve", "TrendCrossSection"),
    "trend": ("quorate.book.sleeves.trend", "Trend"),
    "carry": ("quorate.book.sleeves.carry", "Carry"),
    "dip": ("quorate.book.sleeves.dip", "Dip"),
}


def names() -> tuple[str, ...]:
    """Names of all registered sleeves: the built-in ones, then those of packages."""
    others = sorted(point.name for point in entry_points(group=ENTRY_POINTS) if point.name not in _BUILT_IN)
    return (*_BUILT_IN, *others)


def sleeve_class(name: str) -> type[Sleeve]:
    """The class registered under a name.

    Raises:
        BookError: no such sleeve, or an entry point that does not name one.
    """
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        found = getattr(import_module(module), attribute)
    else:
        points = list(entry_points(group=ENTRY_POINTS, name=name))
        if not points:
            raise BookError(
                f"find the sleeve '{name}'",
                found="no such sleeve",
                expected=f"one of {', '.join(names())}",
                remedy=close_match(name, names()),
            )
        found = points[0].load()
    if not (isinstance(found, type) and issubclass(found, Sleeve)):
        raise BookError(f"use the sleeve '{name}'", found=repr(found), expected="a subclass of quorate.book.Sleeve")
    return found


def build_sleeves(settings: BookSettings) -> tuple[Sleeve, ...]:
    """The sleeves of the setting `book.sleeves`, in order.

    Raises:
        BookError: an unknown one.
    """
    return tuple(sleeve_class(name)(settings) for name in settings.sleeves)
