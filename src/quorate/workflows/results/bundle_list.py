"""The bundles of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from quorate.core.text.plural import counted
from quorate.workflows.results import listing, tables

if TYPE_CHECKING:
    import pandas as pd

    from quorate.ensemble.bundle.manifest import Manifest


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """One bundle of a folder.

    Attributes:
        id: of the bundle.
        champion: it is the champion.
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
class BundleList(Sequence[BundleSummary], listing.Listing):
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

    @property
    def title(self) -> str:
        return f"{counted(len(self), 'bundle')} in {self.folder}"

    @property
    def lines(self) -> listing.Lines:
        columns = ("bundle (* is champion)", "published", "bar", "symbols", "trained on", "members")
        return listing.Lines(columns, tuple(map(_line, self.bundles)))

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


def _line(bundle: BundleSummary) -> tuple[str, ...]:
    manifest = bundle.manifest
    name = ("* " if bundle.champion else "  ") + bundle.id
    published = (bundle.published or "")[:16].replace("T", " ")
    if manifest is None:
        return (name, published, "", "", "", bundle.error or "")
    span = manifest.to_json()["training_span"]
    return (
        name + (" (synthetic)" if manifest.synthetic else ""),
        published,
        manifest.timeframe,
        str(len(manifest.symbols)),
        f"{span['from'][:10]} to {span['to'][:10]}",
        ", ".join(member.model + ("" if member.failure is None else " (failed)") for member in manifest.members),
    )
