"""A trained book: target weights of every day after its training, by members that run on ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from quorate.book.bundle.book_files import book_path, read_file, read_manifest
from quorate.book.bundle.manifest import BookManifest
from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.portfolio.weights import Forecasts, SleeveWeights
from quorate.book.sleeves.learned import LearnedSleeve
from quorate.book.sleeves.registry import build_sleeves
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.arguments import path_of
from quorate.core.errors import BundleError, ModelError
from quorate.core.types import FloatArray
from quorate.models.runtime import OnnxSession

_log = logging.getLogger(__name__)

# Half-lives of a sleeve's volatility over which it is measured.
_SCALED = 4


class Book:
    """A trained book.

    Attributes:
        manifest: what it holds and how it was trained.
        sleeves: in order.
        failures: "sleeve.model" -> why that member abstains.
    """

    def __init__(
        self,
        manifest: BookManifest,
        sleeves: tuple[Sleeve, ...],
        sessions: Mapping[str, Mapping[str, OnnxSession]],
        failures: Mapping[str, str],
    ) -> None:
        self.manifest = manifest
        self.sleeves = sleeves
        self.failures = failures
        self._sessions = sessions

    def __repr__(self) -> str:
        able = sum(map(len, self._sessions.values()))
        return (
            f"Book({self.manifest.id}: {', '.join(sleeve.name for sleeve in self.sleeves)}; "
            f"{len(self.manifest.symbols)} markets, {able} of {len(self.manifest.members)} members)"
        )

    @property
    def lookback_days(self) -> int:
        """Days of candles before the day whose weights are wanted."""
        settings = self.manifest.settings
        # The longest sleeve on a universe that needs its own history, then the volatility of what it would have earned.
        longest = max(sleeve.lookback_days for sleeve in self.sleeves)
        return round(longest + max(settings.age_days, 60) + _SCALED * settings.scale_half_life)

    def forecasts(self, panel: DailyPanel) -> Forecasts:
        """Sleeve -> member -> (D, S) forecasts of the days after the training, and of those before it that scale them.

        The volatility of a learned sleeve is measured by what its weights earned over the last months, of which some
        may lie in the training span: they size it, and are not traded. A member that fails abstains; its failure is
        logged.
        """
        settings = self.manifest.settings
        start = max(0, panel.row(self.manifest.training_end) - round(_SCALED * settings.scale_half_life))
        found: dict[str, dict[str, FloatArray]] = {}
        for sleeve in self.sleeves:
            if not isinstance(sleeve, LearnedSleeve):
                continue
            found[sleeve.name] = {}
            rows = sleeve.rows(panel, start)
            for name, session in self._sessions[sleeve.name].items():
                try:
                    values = session.run(rows.X)[:, 0]
                except ModelError as error:
                    _log.warning("%s of the sleeve %s abstains: %s", name, sleeve.name, error)
                    continue
                found[sleeve.name][name] = rows.spread(values, panel)
        return found

    def weights(self, panel: DailyPanel) -> SleeveWeights:
        """Target weights of every sleeve. Rows before the end of the training are not to be traded."""
        return SleeveWeights.of(self.sleeves, panel, self.forecasts(panel), self.manifest.settings)


def load_book(path: str | Path) -> Book:
    """Load a book: read it, check every file and start its members.

    Args:
        path: folder of a book, or of books, of which the newest is loaded.

    Raises:
        BundleError: no book there, an altered or incomplete one, or one of a sleeve with other columns.
        BookError: a sleeve that is not registered here.
    """
    folder = book_path(path_of("load a book", "path", path, "the path of a book or of a folder of books"))
    if folder is None:
        raise BundleError(
            f"load the book {path}",
            found="no book there",
            expected="a folder that `quorate train --recipe book` wrote",
        )
    manifest = read_manifest(folder)
    sleeves = build_sleeves(manifest.settings)
    sessions: dict[str, dict[str, OnnxSession]] = {}
    failures = {f"{each.sleeve}.{each.model}": each.failure for each in manifest.members if each.failure}
    for sleeve in sleeves:
        if isinstance(sleeve, LearnedSleeve):
            sessions[sleeve.name] = {}
            if manifest.columns.get(sleeve.name) != sleeve.columns:
                raise BundleError(
                    f"load the book {path}",
                    found=f"a sleeve {sleeve.name} of other columns",
                    expected="the columns of this version",
                    remedy="Train the book again.",
                )
    for name in manifest.files:
        content = read_file(folder, manifest, name)
        for member in manifest.members:
            if member.graph == name:
                columns = len(manifest.columns[member.sleeve])
                try:
                    sessions[member.sleeve][member.model] = OnnxSession(content, columns, member.model)
                except ModelError as error:
                    failures[f"{member.sleeve}.{member.model}"] = str(error)
    for member_name, why in failures.items():
        _log.warning("%s abstains: %s", member_name, why)
    return Book(manifest, sleeves, sessions, failures)
