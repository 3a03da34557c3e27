"""Checks of arguments that public functions share, before any work begins."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from quorate.core.arguments import FLAG, FUNCTION, require_types
from quorate.core.errors import ArgumentError, close_match
from quorate.core.types import Policy

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.recipes import RecipeName


def require_arguments(function: Callable[..., Any], given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keyword arguments that a function does not have.

    Args:
        function: with `**selection` or the like.
        given: names that went there.
        known: names that may go there.

    Raises:
        ArgumentError: the unknown name; the close match among all arguments is named.
    """
    known = set(known)
    for name in given:
        if name not in known:
            own = [one for one in inspect.signature(function).parameters if one != "self"][:-1]
            names = [*own, *sorted(known)]
            raise ArgumentError(
                f"call {function.__qualname__}",
                found=f"the unknown argument `{name}`",
                expected=f"one of {', '.join(names)}",
                remedy=close_match(name, names),
            )


def settings_of(settings: Settings | None) -> Settings:
    """The settings given, or those of quorate.toml and the environment.

    Raises:
        ArgumentError: anything else, such as a path.
        SettingsError: a file that cannot be read, or a value that is not valid.
    """
    from quorate.core.configuration import load_settings
    from quorate.core.settings import Settings

    if settings is None:
        return load_settings()
    if not isinstance(settings, Settings):
        raise ArgumentError(
            "use `settings`",
            found=f"an object of type {type(settings).__name__}",
            expected="a quorate.Settings",
            remedy="Read a file with quorate.load_settings(path).",
        )
    return settings


def with_policy(settings: Settings, policy: Policy | None) -> Settings:
    """The settings with another policy, where one is given.

    Raises:
        ArgumentError: as `require_policy`.
    """
    require_policy(policy)
    return settings if policy is None else replace(settings, policy=replace(settings.policy, name=policy))


def require_policy(policy: str | None) -> None:
    """Refuse the name of a policy that there is not.

    Raises:
        ArgumentError: neither the name of a policy nor None.
    """
    policies = get_args(Policy)
    if policy is not None and not (isinstance(policy, str) and policy in policies):
        raise ArgumentError(
            "choose the `policy`",
            found=repr(policy),
            expected=f"one of {', '.join(policies)}",
            remedy=close_match(policy, policies),
        )


def require_count(name: str, count: object) -> None:
    """Refuse a count that is not a whole number above 0; None is the same as leaving it out.

    Raises:
        ArgumentError: anything else.
    """
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise ArgumentError(f"use `{name}`", found=repr(count), expected="a whole number, at least 1")


def with_features(settings: Settings, features: str | None, recipe: RecipeName = "vote") -> Settings:
    """The settings with another feature set of a recipe's members; None leaves them as they are.

    Raises:
        ArgumentError: no text.
    """
    if features is None:
        return settings
    if not isinstance(features, str):
        raise ArgumentError(
            "use `features`",
            found=repr(features),
            expected='the name of a feature set, or "auto" to have columns chosen',
        )
    if recipe == "stack":
        return replace(settings, stack=replace(settings.stack, features=features))
    return replace(settings, train=replace(settings.train, features=features))


def require_flags(**flags: object) -> None:
    """Refuse flags that are neither True nor False, such as the text "no".

    Raises:
        ArgumentError: anything else.
    """
    require_types("use a flag", **{name: (flag, FLAG) for name, flag in flags.items()})


def require_callback(**callbacks: object) -> None:
    """Refuse a callback that cannot be called.

    Raises:
        ArgumentError: anything else.
    """
    require_types("report what is done", **{name: (callback, FUNCTION) for name, callback in callbacks.items()})


def require_timeframe_text(timeframe: object) -> None:
    """Refuse a timeframe that is no text; None is the same as leaving it out.

    Raises:
        ArgumentError: anything else.
    """
    if timeframe is not None and not isinstance(timeframe, str):
        raise ArgumentError("use `timeframe`", found=repr(timeframe), expected="a text such as 5m, 1h, 4h or 1d")


def folder_of(name: str, path: object) -> Path:
    """The path of a folder.

    Raises:
        ArgumentError: neither text nor a path.
    """
    if not isinstance(path, str | Path):
        raise ArgumentError(f"use `{name}`", found=repr(path), expected="the path of a folder")
    return Path(path)
