"""How a bundle can be trained again: command, settings and versions."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from quorate.core.clock import iso_ms, timeframe_ms
from quorate.ensemble.bundle.manifest import Manifest
from quorate.evaluation.cards.model_card import CardSection
from quorate.evaluation.report.formatting import Cell, Table

# Of the settings of a training in the manifest: the bundle at whose weights networks began.
_START = "start"

# And what its members learnt on from.
_LEARNT_ON = "learnt_on"


def reproduce_section(manifest: Manifest) -> CardSection:
    """The section of a card."""
    text = [
        "The same candles, settings and versions train the same members on the same machine. Settings of calibration, "
        "evaluation, costs and the choice of the policy are not recorded in a bundle: these have their defaults below.",
    ]
    if manifest.settings.get(_START):
        text.append(f"Its networks began at the weights of the bundle {manifest.settings[_START]}: see --rolling.")
    learnt = manifest.settings.get(_LEARNT_ON)
    if learnt:
        text.append(
            f"{', '.join(learnt['members'])} learnt on from the bundle {learnt['bundle']} in the challenge "
            f"'{learnt['challenge']}' up to {learnt['bar']}, verdict {learnt['verdict']}: {learnt['reason']}. "
            + (f"Published before that by force: {learnt['forced']}. " if learnt["forced"] else "")
            + "Maps and policy are that bundle's. The command below trains anew on the whole span instead."
        )
    rows = tuple((Cell(name), Cell(version)) for name, version in manifest.versions.items())
    return CardSection(
        "How to reproduce it",
        tuple(text),
        (Table("Versions", ("package", "version"), rows),) if rows else (),
        code=(training_command(manifest), settings_toml(manifest)),
    )


def training_command(manifest: Manifest) -> str:
    """The command that trains on the same span."""
    end = manifest.training_end + timeframe_ms(manifest.timeframe)
    options = {
        "--data": "FOLDER",
        "--symbols": ",".join(manifest.symbols),
        "--timeframe": manifest.timeframe,
        "--from": iso_ms(manifest.training_start)[:16],
        "--to": iso_ms(end)[:16],
        "--models": ",".join(member.model for member in manifest.members),
        "--recipe": manifest.recipe,
        "--out": "bundles",
    }
    return shlex.join(["quorate", "train", *(part for option in options.items() for part in option)])


def settings_toml(manifest: Manifest) -> str:
    """The settings of the training as a file quorate.toml."""
    target = asdict(manifest.target)
    unused = "return_horizon" if manifest.recipe == "vote" else "horizon"
    tables: dict[str, Any] = {
        "target": {name: value for name, value in target.items() if name != unused},
        "vote": manifest.policy.chosen.to_json(),
    }
    sections = {name: value for name, value in manifest.settings.items() if name != _LEARNT_ON}
    tables |= {name: value for name, value in sections.items() if isinstance(value, Mapping)}
    if manifest.recipe == "stack":
        models = tables.pop("models", {})
        tables["stack"] = {**tables.get("stack", {}), "models": models}
    return "\n".join(_lines((), tables)).strip() + "\n"


def _lines(path: tuple[str, ...], table: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a table: its own values first, then the tables inside it."""
    plain = {name: value for name, value in table.items() if not isinstance(value, Mapping) and value is not None}
    if path and plain:
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    for name, value in plain.items():
        yield f"{_key(name)} = {_value(value)}"
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines((*path, name), value)


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=True)
