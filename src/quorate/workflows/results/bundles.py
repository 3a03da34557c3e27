"""What is known of the bundles of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from quorate.core.clock import format_ms
from quorate.core.types import Mode
from quorate.workflows.results import listing, tables
from quorate.workflows.results.headline import SYNTHETIC

if TYPE_CHECKING:
    import pandas as pd

    from quorate.ensemble.bundle.champion_log import ChampionLogEntry
    from quorate.ensemble.bundle.manifest import Manifest


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """One bundle of a folder.

    Attributes:
        id: of the bundle.
        champion: it is the one in use.
        published: ISO time; None where the history does not have it.
        manifest: None where it cannot be read.
        error: why it cannot be read.
    """

    id: str
    champion: bool
    published: str | None
    manifest: Manifest | None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of `quorate bundle list --json`."""
        known = {"id": self.id, "champion": self.champion, "published": self.published}
        manifest = self.manifest
        if manifest is None:
            return {**known, "error": self.error}
        return {
            **known,
            "recipe": manifest.recipe,
            "timeframe": manifest.timeframe,
            "features": manifest.features,
            "symbols": list(manifest.symbols),
            "synthetic": manifest.synthetic,
            "training_span": manifest.to_json()["training_span"],
            "members": {member.model: member.failure is None for member in manifest.members},
            "error": None,
        }


@dataclass(frozen=True, slots=True, repr=False)
class BundleList(Sequence[BundleSummary]):
    """The bundles of a folder by the time they were published.

    Attributes:
        folder: that holds them.
        bundles: oldest first.
    """

    folder: Path
    bundles: tuple[BundleSummary, ...]

    @property
    def champion(self) -> str | None:
        """The id of the bundle in use; None before the first."""
        return next((bundle.id for bundle in self.bundles if bundle.champion), None)

    @overload
    def __getitem__(self, place: int) -> BundleSummary: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[BundleSummary]: ...
    def __getitem__(self, place: int | slice) -> BundleSummary | Sequence[BundleSummary]:
        return self.bundles[place]

    def __len__(self) -> int:
        return len(self.bundles)

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate bundle list --json`."""
        return [bundle.to_json() for bundle in self.bundles]

    def to_pandas(self, table: str = "bundles") -> pd.DataFrame:
        """A row a bundle, as a pandas frame.

        Args:
            table: "bundles", the only one.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        return tables.table_of({"bundles": self._table}, table)

    def __str__(self) -> str:
        return listing.text(self._title(), (), self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return listing.html(self._title(), (), self._lines())

    def _title(self) -> str:
        return f"{len(self)} bundles in {self.folder}"

    def _lines(self) -> listing.Lines:
        rows = []
        for bundle in self.bundles:
            manifest = bundle.manifest
            name = ("* " if bundle.champion else "  ") + bundle.id
            if manifest is None:
                rows.append((name, bundle.published or "", "", bundle.error or ""))
                continue
            members = ", ".join(member.model for member in manifest.members if member.failure is None)
            mark = " (synthetic)" if manifest.synthetic else ""
            rows.append((name + mark, bundle.published or "", manifest.timeframe, members))
        return listing.Lines(("bundle (* is champion)", "published", "timeframe", "members"), tuple(rows))

    def _table(self) -> pd.DataFrame:
        rows = []
        for bundle in self.bundles:
            row = bundle.to_json()
            span, members = row.pop("training_span", {}), row.pop("members", {})
            row |= {"training_start": span.get("from"), "training_end": span.get("to")}
            rows.append({**row, "symbols": len(row.get("symbols", ())), "members": sum(members.values())})
        pd = tables.pandas()
        frame = pd.DataFrame(rows)
        for name in ("published", "training_start", "training_end"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], utc=True)
        return frame


@dataclass(frozen=True, slots=True, repr=False)
class BundleDetails:
    """A bundle's manifest and history.

    Attributes:
        path: the bundle's folder.
        manifest: what it holds and how it was trained.
        champion: it is the one in use.
        history: what was done with it, oldest first.
    """

    path: Path
    manifest: Manifest
    champion: bool
    history: tuple[ChampionLogEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate bundle show --json`."""
        return {
            "path": str(self.path),
            "champion": self.champion,
            **self.manifest.to_json(),
            "history": [entry.to_json() for entry in self.history],
        }

    def to_pandas(self, table: str = "history") -> pd.DataFrame:
        """One of the tables as a pandas frame.

        Args:
            table: "history": a row for each change. "members": a row a member with its files.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        made = {
            "history": lambda: tables.pandas().DataFrame([entry.to_json() for entry in self.history]),
            "members": lambda: tables.pandas().DataFrame(self.manifest.to_json()["members"]),
        }
        return tables.table_of(made, table)

    def __str__(self) -> str:
        return listing.text(self._title(), self._marks(), self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return listing.html(self._title(), self._marks(), self._lines())

    def _title(self) -> str:
        manifest = self.manifest
        return f"Bundle {manifest.id}{' (champion)' if self.champion else ''}: {manifest.recipe}, {manifest.timeframe}"

    def _marks(self) -> list[str]:
        return [SYNTHETIC] if self.manifest.synthetic else []

    def _lines(self) -> listing.Lines:
        manifest = self.manifest
        rows = [
            ("features", f"{manifest.features}, {len(manifest.feature_names)} columns"),
            ("trained on", f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"),
            ("symbols", ", ".join(manifest.symbols)),
            ("members", ", ".join(member.model for member in manifest.members if member.failure is None)),
        ]
        return listing.Lines(("", ""), tuple(rows))


@dataclass(frozen=True, slots=True)
class BundleVerification:
    """Whether one bundle can be used.

    Attributes:
        id: of the bundle.
        ok: every file is as published, and enough members could be loaded.
        files: how many were read; None where one was altered or missing.
        mode: full, partial or none: how many members could be loaded.
        error: what was wrong with it, or with members of it; None where nothing was.
    """

    id: str
    ok: bool
    files: int | None = None
    mode: Mode | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One entry of `quorate bundle verify --json`."""
        return {"id": self.id, "ok": self.ok, "files": self.files, "mode": self.mode, "error": self.error}


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """The verification of some bundles.

    Attributes:
        folder: that holds them.
        bundles: in the order they were asked for.
    """

    folder: Path
    bundles: tuple[BundleVerification, ...]

    @property
    def ok(self) -> bool:
        """Every bundle can be used."""
        return all(bundle.ok for bundle in self.bundles)

    def to_json(self) -> list[dict[str, Any]]:
        """The document of `quorate bundle verify --json`."""
        return [bundle.to_json() for bundle in self.bundles]

    def to_pandas(self, table: str = "bundles") -> pd.DataFrame:
        """A row a bundle, as a pandas frame.

        Args:
            table: "bundles", the only one.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        return tables.table_of({"bundles": lambda: tables.pandas().DataFrame(self.to_json())}, table)

    def __str__(self) -> str:
        return listing.text(self._title(), (), self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return listing.html(self._title(), (), self._lines())

    def _title(self) -> str:
        return f"{len(self.bundles)} bundles in {self.folder}, {sum(not bundle.ok for bundle in self.bundles)} refused"

    def _lines(self) -> listing.Lines:
        rows = [
            (
                bundle.id,
                "ok" if bundle.ok else "refused",
                str(bundle.files or ""),
                bundle.mode or "",
                bundle.error or "",
            )
            for bundle in self.bundles
        ]
        return listing.Lines(("bundle", "result", "files", "mode", "found"), tuple(rows))


@dataclass(frozen=True, slots=True)
class ChampionChange:
    """What became of the champion of a folder.

    Attributes:
        champion: the id of the bundle that is champion now.
        previous: the champion before it; None where there was none, or nothing changed.
        changed: False where it was champion already.
        path: the champion's folder.
    """

    champion: str
    previous: str | None
    changed: bool
    path: Path

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate bundle promote --json` and `rollback --json`."""
        return {
            "champion": self.champion,
            "previous": self.previous,
            "changed": self.changed,
            "path": str(self.path),
        }
