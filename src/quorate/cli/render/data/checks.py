"""The check of a data folder, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.cli import output
from quorate.core.text import counted

if TYPE_CHECKING:
    from quorate.workflows.results.checked_files import CheckResult

# Files that fit on a terminal of 24 lines, most with two lines each.
_MOST = 8


def print_check(result: CheckResult) -> None:
    """Print the files with problems, rejected ones first, and how many others there are."""
    for line in (*result.marks, result.title):
        output.print_line(line)
    brief = result.brief(_MOST)
    if brief.rows:
        output.print_rows("", *brief, prose=True)
    more, clean = result.with_problems - len(brief.rows), len(result.files) - result.with_problems
    said = [f"{counted(more, 'more file')} with problems"] if more else []
    said += [f"{counted(clean, 'file')} without a problem"] if clean else []
    output.print_line(f"{', '.join(said) or 'no other file'}; --full lists everything")
