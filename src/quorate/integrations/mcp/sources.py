"""What the tools read: chosen by the person who starts the server, never by an assistant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.errors import ArgumentError

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.workflows.paper import PaperAccount


@dataclass(frozen=True)
class AssistantSources:
    """Files and journal that an assistant may read through the tools.

    Attributes:
        bundles: folder of bundles, or of a series.
        data: Freqtrade data folder with the candles of signals; None for no signals.
        evaluations: documents of `quorate evaluate --json`.
        account: name of the paper account; None for `paper.account` of the settings.
        journal: URL of its journal; None for `journal.url` of the settings.
        settings: None for those of quorate.toml and the environment.
    """

    bundles: Path
    data: Path | None = None
    evaluations: tuple[Path, ...] = ()
    account: str | None = None
    journal: str | None = None
    settings: Settings | None = None

    @cached_property
    def paper(self) -> PaperAccount:
        """The paper account; its journal is opened by each question anew.

        Raises:
            SettingsError: settings that cannot be read.
        """
        from quorate.workflows.paper import PaperAccount

        return PaperAccount(self.account, self.journal, settings=self.settings)

    def candles(self) -> Path:
        """The data folder.

        Raises:
            ArgumentError: the server was started without one.
        """
        if self.data is None:
            raise ArgumentError(
                "compute signals",
                found="a server without candles",
                expected="a folder of candles",
                remedy="Start the server with --data FOLDER; the tool journal has the decisions of the paper account.",
            )
        return self.data

    def bundle(self, bundle_id: str | None) -> Path:
        """Folder of a bundle of `bundles`; without an id the folder itself, whose champion is used.

        Raises:
            BundleError: no such bundle. Only the ids in the folder are accepted, so no path leads out of it.
        """
        from quorate.ensemble.bundle.bundle_store import BundleStore

        return self.bundles if bundle_id is None else BundleStore(self.bundles).path(bundle_id)
