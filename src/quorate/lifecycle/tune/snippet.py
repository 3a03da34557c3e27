"""The choices of a winner as settings for quorate.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quorate.lifecycle.tune.space import Choices

_SECTIONS = {"features": "train", "horizon": "target", "band": "target"}


def changed(winner: Choices, before: Choices) -> dict[str, dict[str, Any]]:
    """Choice -> its value before and after, of those that differ.

    >>> changed({"horizon": 8, "band": 0.005}, {"horizon": 5, "band": 0.005})
    {'horizon': {'before': 5, 'after': 8}}
    """
    return {
        name: {"before": before[name], "after": value} for name, value in winner.items() if value != before.get(name)
    }


def settings_snippet(choices: Choices, about: str) -> str:
    """A text for quorate.toml that sets the choices.

    >>> print(settings_snippet({"lightgbm.depth": 4, "horizon": 8, "features": "core14"}, "found"), end="")
    # found
    [models.lightgbm]
    depth = 4
    <BLANKLINE>
    [target]
    horizon = 8
    <BLANKLINE>
    [train]
    features = "core14"
    """
    sections: dict[str, dict[str, Any]] = {}
    for name, value in choices.items():
        member, _, setting = name.rpartition(".")
        section = f"models.{member}" if member else _SECTIONS[name]
        sections.setdefault(section, {})[setting] = value
    parts = ["\n".join([f"[{name}]", *_lines(values)]) for name, values in sorted(sections.items())]
    return f"# {about}\n" + "\n\n".join(parts) + "\n"


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]
