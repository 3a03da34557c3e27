"""Settings that a search keeps, as a file to be copied into quorate.toml."""

from __future__ import annotations

from pathlib import Path

from quorate.core.arguments import path_of
from quorate.core.files import write_text_atomic


def write_snippet(path: Path | str, snippet: str | None) -> bool:
    """Write settings to a file; whether there were any to write.

    Args:
        path: of the file.
        snippet: settings; None where the search keeps none.

    Raises:
        DataError: the file cannot be written.
    """
    if snippet is None:
        return False
    write_text_atomic(path_of("write the settings", "path", path), snippet)
    return True
