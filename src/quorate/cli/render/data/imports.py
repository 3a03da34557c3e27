"""What an import has to say besides its table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quorate.core.clock import format_ms

if TYPE_CHECKING:
    from quorate.workflows.results.market_files import ImportResult

#: Flags of the arguments that errors of an import name.
_FLAGS = ("symbol", "timeframe", "perpetual", "columns", "tz", "date_format", "decimal")


def import_notes(result: ImportResult, zone: str | None) -> Iterator[str]:
    """Lines about times without a zone, about what was decided, and about what was left out.

    Args:
        result: of the import.
        zone: that the user has named for times without one.
    """
    naive = [market for market in result.markets if market.naive and market.report.start is not None]
    if naive:
        first = min(market.report.start or 0 for market in naive)
        last = max(market.report.end or 0 for market in naive)
        said = f"in {zone}" if zone else "as UTC"
        yield (
            f"times without a zone were read {said}: first bar {format_ms(first)} UTC, last bar {format_ms(last)} UTC"
            + (
                ""
                if zone
                else "; if they are local, remove the file and import again with --tz, such as --tz Europe/Berlin"
            )
        )
    for market in result.markets:
        for note in market.notes:
            yield f"{market.symbol} {market.timeframe}: {_with_flags(note)}"
        if market.quarantine is not None:
            sources = ", ".join(map(str, market.conflicting[:3])) + (" ..." if market.conflicting[3:] else "")
            rows = (
                "1 row contradicts another" if market.conflicts == 1 else f"{market.conflicts:,} rows contradict others"
            )
            yield (
                f"{market.symbol} {market.timeframe}: {rows} of the same time, in {sources}; left out and written to "
                f"{market.quarantine}"
            )
    for path in result.skipped:
        yield f"skipped {path}: no columns of candles"
    for refused in result.refused:
        parts = [refused.error.found] + ([f"expected {refused.error.expected}"] if not refused.commands[1:] else [])
        yield f"refused {refused.path}: {_with_flags('; '.join(filter(None, parts)))}"
        ready = refused.error.remedy.startswith("Run: ")
        if refused.error.remedy and not ready:
            yield f"  {_with_flags(refused.error.remedy.partition(' To download them: ')[0])}"
        for number, command in enumerate(refused.commands):
            lead = "or:  " if number else "run: " if ready else "then:"
            yield f"  {lead} {command}"


def _with_flags(text: str) -> str:
    from quorate.cli.flags import with_flags

    return with_flags(text, {name: f"--{name.replace('_', '-')}" for name in _FLAGS})
