"""The description of a trained book."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from quorate.core.clock import iso_ms, parse_ms
from quorate.core.errors import BundleError, SettingsError
from quorate.core.settings import BookSettings
from quorate.core.untrusted_json import MISSHAPEN, parse_json

FILE_NAME = "book.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class BookMember:
    """A member of a learned sleeve.

    Attributes:
        sleeve, model: of which sleeve, and its registered name.
        rows: that it was fitted on.
        graph: name of its ONNX file; empty where it failed.
        failure: why it failed.
    """

    sleeve: str
    model: str
    rows: int
    graph: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class BookManifest:
    """A trained book.

    Attributes:
        id: digest of all that follows.
        symbols: markets of the panel; those of each day's universe are chosen from them.
        timeframe: of the candles.
        training_start, training_end: ms, of the first bar and of the end of the last one: no later label was read.
        settings: of the book; those of its models are kept for the record.
        columns: sleeve -> names of the columns that its members read.
        members: in order.
        files: name -> SHA-256 of every other file.
        synthetic: whether some candles are synthetic.
        versions: of the libraries that trained it.
    """

    id: str
    symbols: tuple[str, ...]
    timeframe: str
    training_start: int
    training_end: int
    settings: BookSettings
    columns: Mapping[str, tuple[str, ...]]
    members: tuple[BookMember, ...]
    files: Mapping[str, str]
    synthetic: bool
    versions: Mapping[str, str]
    models: Mapping[str, Any]

    def text(self) -> str:
        """As in the file."""
        return json.dumps({"id": self.id, **self._tree()}, indent=1, allow_nan=False) + "\n"

    def with_id(self) -> Self:
        """With the digest of its content as id."""
        content = json.dumps(self._tree(), sort_keys=True, allow_nan=False)
        return replace(self, id=hashlib.sha256(content.encode()).hexdigest()[:16])

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Self:
        """Read a file's content.

        Raises:
            BundleError: no such document, one of another version, or an altered one.
        """
        attempted = f"read {path}"
        try:
            tree = parse_json(content)
            if tree["schema_version"] != SCHEMA_VERSION:
                raise BundleError(
                    attempted,
                    found=f"version {tree['schema_version']!r}",
                    expected=f"version {SCHEMA_VERSION}",
                    remedy="Train the book again.",
                )
            span = tree["training_span"]
            read = cls(
                id=str(tree["id"]),
                symbols=tuple(map(str, tree["symbols"])),
                timeframe=str(tree["timeframe"]),
                training_start=parse_ms(span["from"]),
                training_end=parse_ms(span["to"]),
                settings=_settings(tree["settings"]),
                columns={str(name): tuple(map(str, names)) for name, names in tree["columns"].items()},
                members=tuple(BookMember(**member) for member in tree["members"]),
                files={str(name): str(digest) for name, digest in tree["files"].items()},
                synthetic=bool(tree["synthetic"]),
                versions={str(name): str(version) for name, version in tree["versions"].items()},
                models=dict(tree["models"]),
            )
        except (*MISSHAPEN, SettingsError) as error:
            raise BundleError(attempted, found=repr(error), expected="a book as `quorate train` wrote it") from error
        if read.with_id().id != read.id:
            raise BundleError(
                attempted, found="content that does not match its id", expected="a book as `quorate train` wrote it"
            )
        return read

    def _tree(self) -> dict[str, Any]:
        settings = {each.name: getattr(self.settings, each.name) for each in fields(self.settings)}
        del settings["models"]
        return {
            "schema_version": SCHEMA_VERSION,
            "recipe": "book",
            "symbols": list(self.symbols),
            "timeframe": self.timeframe,
            "training_span": {"from": iso_ms(self.training_start), "to": iso_ms(self.training_end)},
            "settings": {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()},
            "columns": {name: list(names) for name, names in self.columns.items()},
            "members": [asdict(member) for member in self.members],
            "files": dict(self.files),
            "synthetic": self.synthetic,
            "versions": dict(self.versions),
            "models": dict(self.models),
        }


def _settings(tree: Mapping[str, Any]) -> BookSettings:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in tree.items()}
    return BookSettings(**values)
