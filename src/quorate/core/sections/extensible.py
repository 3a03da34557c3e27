"""Sections to which other packages add sections of their own, by entry points of the group `quorate.settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from quorate.core.arguments import TEXT, require_types
from quorate.core.errors import SettingsError, close_match
from quorate.core.sections.section import Section

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

#: Entry points of this group name a frozen dataclass, every field of which has a default. The entry point's name is the
#: section's: `centroid` is read from `[centroid]`, `models.centroid` from `[models.centroid]`.
GROUP = "quorate.settings"


@dataclass(frozen=True, slots=True)
class ExtensibleSection(Section):
    """A section that can hold sections of other packages.

    Attributes:
        others: name -> section of another package, for those that the file or the environment sets.
    """

    prefix: ClassVar[str] = ""  # of the names of its entry points

    others: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def section(self, name: str) -> Any:
        """One of the sections in this one, by its name: of Quorate or of another package.

        A section of another package has its defaults where neither the file nor the environment sets it.

        Raises:
            SettingsError: no such section, with the close match; or what the package registered cannot be one.
        """
        require_types("find a section", name=(name, TEXT))
        if name in own_names(type(self)):
            return getattr(self, name)
        return self.others[name] if name in self.others else other_section(type(self), name)()

    def has_section(self, name: str) -> bool:
        """Whether this section has such a field, or another package registered such a section."""
        require_types("find a section", name=(name, TEXT))
        return name in own_names(type(self)) or name in _registered(type(self))


def own_names(section: type) -> tuple[str, ...]:
    """The settings and sections in a section, without those of other packages."""
    extensible = issubclass(section, ExtensibleSection)
    return tuple(field.name for field in fields(section) if not (extensible and field.name == "others"))


def section_names(section: type) -> tuple[str, ...]:
    """`own_names`, and the names that other packages registered."""
    others = sorted(_registered(section)) if issubclass(section, ExtensibleSection) else ()
    return (*own_names(section), *others)


def other_section(section: type[ExtensibleSection], name: str) -> type:
    """The class of another package's section.

    Raises:
        SettingsError: not registered, or not a frozen dataclass with a default for every field.
    """
    point = _registered(section).get(name)
    if point is None:
        known = section_names(section)
        raise SettingsError(
            f"find the section [{section.prefix}{name}]",
            found="no such section",
            expected=f"one of {', '.join(known)}",
            remedy=close_match(name, known),
        )
    try:
        found: Any = point.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"load the section [{point.name}] of {_package(point)}", found=str(error), expected=point.value
        ) from error
    attempted, expected = f"use the section [{point.name}] of {_package(point)}", "a frozen dataclass of defaults"
    if not (isinstance(found, type) and is_dataclass(found) and cast("Any", found).__dataclass_params__.frozen):
        raise SettingsError(attempted, found=repr(found), expected=expected)
    required = [one.name for one in fields(found) if one.default is MISSING and one.default_factory is MISSING]
    if required:
        raise SettingsError(attempted, found=f"no default for {', '.join(required)}", expected=expected)
    return cast("type", found)


def _registered(section: type[ExtensibleSection]) -> dict[str, EntryPoint]:
    """Name -> entry point of each section that other packages add to this one.

    Raises:
        SettingsError: a name that is taken, by Quorate or by two packages.
    """
    from importlib.metadata import entry_points  # here: settings of Quorate alone do not need it

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        name = point.name.removeprefix(section.prefix)
        if not point.name.startswith(section.prefix) or "." in name:
            continue
        if name in found or name in own_names(section):
            owner = _package(found[name]) if name in found else "Quorate"
            raise SettingsError(
                f"add the section [{point.name}] of {_package(point)}",
                found=f"a section of that name in {owner}",
                expected="a name that is not taken",
                remedy="Uninstall one of the packages, or rename its section.",
            )
        found[name] = point
    return found


def _package(point: EntryPoint) -> str:
    return point.value if point.dist is None else point.dist.name
