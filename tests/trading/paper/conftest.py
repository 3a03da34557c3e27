"""Journals that several tests of paper trading open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.trading.journal import Journal


@pytest.fixture
def open_journal(tmp_path: Path) -> Callable[..., Journal]:
    """A journal on SQLite; the same file each time."""

    def make(account: str = "paper", role: str = "session") -> Journal:
        return Journal.open(f"sqlite:///{tmp_path}/journal.sqlite", account, role=role)  # type: ignore[arg-type]

    return make
