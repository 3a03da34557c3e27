"""Import of candle files of other programs into a Freqtrade data folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from quorate.core.clock import now_ms
from quorate.core.errors import ArgumentError, DataError, QuorateError, TooLittleHistoryError
from quorate.core.progress import Progress, silent
from quorate.core.tables import OpenQuestion
from quorate.core.text import counted
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market.columns import Columns, join
from quorate.market.files.candle_store import merge_candles, merge_funding
from quorate.market.files.folders import files_below, is_folder
from quorate.market.files.formats import read_funding_columns
from quorate.market.files.names import Kind, MarketFile, candle_kind, is_perpetual
from quorate.market.files.quarantine import SUFFIX, quarantine
from quorate.market.files.spellings import normal_timeframe
from quorate.market.quality.candle_checks import check_candles, check_funding
from quorate.market.quality.quality_report import QualityReport
from quorate.market.statistics.archives import parse_archive
from quorate.market.statistics.imports import merge_archives
from quorate.market.tables.command_line import ImportOptions, download_command, import_command
from quorate.market.tables.identify import OtherMarketError, hints_of, identify_symbol, identify_timeframe
from quorate.market.tables.import_report import Imported, ImportReport, RefusedFile
from quorate.market.tables.read_files import ReadFile, ReadRows, read_file
from quorate.market.tables.readers import ending_of
from quorate.market.tables.table_names import parse_table


def import_files(
    paths: Iterable[Path | str],
    folder: Path | str,
    options: ImportOptions | None = None,
    *,
    now: int | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Read candle tables, Freqtrade's files and archives of market statistics, check and merge them into a data folder.

    Files of one market, such as monthly ones, are checked together. A file that cannot be used is refused, and does not
    stop the others. Importing the same files again changes nothing.

    Args:
        paths: files, and folders that are searched with their subfolders.
        folder: a Freqtrade data folder; created if missing.
        options: what files do not say by themselves.
        now: the current time in ms UTC; None for the clock's.
        progress: called after each market.

    Raises:
        ArgumentError: an unknown zone, or a symbol or timeframe that is none.
        DataError: the folder cannot be written.
    """
    work = _Import(Path(folder), options or ImportOptions(), now_ms() if now is None else now)
    for path in map(Path, paths):
        work.add(path)
    markets = []
    for number, (key, files) in enumerate(sorted(work.groups.items()), 1):
        imported = work.merge(key, files)
        if imported is not None:
            markets.append(imported)
        progress("importing markets", number, len(work.groups))
    return ImportReport(tuple(markets), tuple(work.skipped), tuple(work.refused))


_Key = tuple[str, str, Kind]


@dataclass(slots=True)
class _Source:
    """A file of one market; `part` is None until it is read."""

    path: Path
    part: ReadRows | None = None


@dataclass(slots=True)
class _Import:
    folder: Path
    options: ImportOptions
    now: int
    groups: dict[_Key, list[_Source]] = field(default_factory=dict)
    skipped: list[Path] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Sort a file, or those of a folder, into groups of one market."""
        try:
            searched = is_folder(path)
            found = files_below(path, _could_hold_candles) if searched else [path]
        except DataError as error:
            self.refused.append(RefusedFile(path, error))
            return
        for file in found:
            try:
                self._identify(file, searched=searched)
            except ArgumentError:
                raise
            except DataError as error:
                self._refuse(file, error)

    def _identify(self, path: Path, *, searched: bool) -> None:
        archive = parse_archive(path, self.options.symbol)
        if archive is not None:
            self._group((archive.symbol, archive.timeframe, "statistics"), _Source(path))
            return
        named = parse_table(path, perpetual=self.options.perpetual)
        if named is not None and self.options.symbol is None:
            # Read when its turn comes, so that the rows of many markets are not in memory at once.
            frame = named.timeframe if self.options.timeframe is None else normal_timeframe(self.options.timeframe)
            self._group((named.symbol, frame, named.kind), _Source(path))
            if self.options.statistics and named.kind == "futures" and is_perpetual(named.symbol):
                self._group((named.symbol, frame, "statistics"), _Source(path))
            return
        attempted = f"import {path}"
        read = read_file(path, self.options, attempted, market=self.options.symbol or "")
        if not read.parts and searched and not self.options.read.columns and _is_foreign(read):
            self.skipped.append(path)
            return
        keys, questions = [], list(read.questions)
        for part in read.parts:
            hints = hints_of(path, part.name, part.above)
            stated = named.timeframe if named is not None else None
            for found in (
                identify_symbol(part.rows, hints, self.options, attempted),
                identify_timeframe(part.rows, hints, self.options, stated, attempted),
            ):
                if not isinstance(found, OpenQuestion):
                    keys.append(found)
                elif found.option not in {question.option for question in questions}:
                    questions.append(found)
        if questions or read.missing is not None:
            self._ask(path, read, questions)
            return
        for part, symbol, frame in zip(read.parts, keys[::2], keys[1::2], strict=True):
            self._group((symbol, frame, candle_kind(symbol)), _Source(path, part))

    def _group(self, key: _Key, source: _Source) -> None:
        group = self.groups.setdefault(key, [])
        if source.part is not None or source.path not in [known.path for known in group]:
            group.append(source)

    def _ask(self, path: Path, read: ReadFile, questions: Sequence[OpenQuestion]) -> None:
        """Refuse a file that leaves something open, with the commands that import it."""
        found = "; ".join(question.found for question in questions)
        if read.missing is not None and any(question.option == "download" for question in questions):
            hints = hints_of(path, "", ())
            base, quote = hints.pairs[0] if hints.pairs else (hints.base or "BTC", "USDT")
            symbol = self.options.symbol or (f"{base}/USDT" if quote == "USD" else f"{base}/{quote}")
            frame = self.options.timeframe or hints.timeframe or "1h"
            commands = [download_command(symbol, frame, read.span, self.folder)]
            remedy = f"{read.missing.remedy} To download them: {commands[0]}"
        else:
            answered = self.options
            for question in questions:
                answered = answered.answered(question.option, question.answer)
            commands = [import_command(path, self.folder, each) for each in (answered, *self._others(questions))]
            remedy = f"Run: {commands[0]}"
        expected = "one way to read it" if read.missing is None else read.missing.expected
        error = DataError(f"import {path}", found=found, expected=expected, remedy=remedy)
        self.refused.append(RefusedFile(path, error, tuple(commands)))

    def _others(self, questions: Sequence[OpenQuestion]) -> Iterator[ImportOptions]:
        """The options with the other answer to one question each."""
        for asked in questions:
            if asked.other:
                options = self.options
                for question in questions:
                    options = options.answered(
                        question.option, question.other if question is asked else question.answer
                    )
                yield options

    def _refuse(self, path: Path, error: QuorateError) -> None:
        options = replace(self.options, symbol=None) if isinstance(error, OtherMarketError) else self.options
        commands = (import_command(path, self.folder, options),) if path.exists() else ()
        self.refused.append(RefusedFile(path, error, commands))

    def merge(self, key: _Key, sources: list[_Source]) -> Imported | None:
        """Check the rows of one market and merge them; None if all of its files are refused."""
        symbol, frame, kind = key
        market = MarketFile(symbol, frame, kind, sources[0].path)
        if kind == "funding_rate":
            return self._merge_funding(market, [source.path for source in sources])
        if kind == "statistics":
            paths = [source.path for source in sources]
            return merge_archives(self.folder, symbol, frame, paths, self.now, self._refuse)
        has_volume = kind != "mark"
        good: list[tuple[Path, ReadRows, Columns]] = []
        for source in sources:
            try:
                for part in [source.part] if source.part is not None else self._read(source.path, key):
                    # Each file by itself first, so that a fault is reported with its file and row.
                    checked = check_candles(part.columns, frame, self.now, has_volume=has_volume)
                    checked.report.require(str(source.path))
                    good.append((source.path, part, part.columns))
            except DataError as error:
                self._refuse(source.path, error)
        if not good:
            return None
        checked = check_candles(join([columns for _, _, columns in good]), frame, self.now, has_volume=has_volume)
        files = tuple(dict.fromkeys(path for path, _, _ in good))
        if not _has_rows(self, market, files, checked.report):
            return None
        arrays = {name: getattr(checked.kept, name) for name in ("time", *CANDLE_COLUMNS)}
        candles = Candles(symbol, frame, **arrays, synthetic=checked.kept.synthetic)
        merged = merge_candles(self.folder, candles, source=files[0].name, mark=kind == "mark", now=self.now)
        if len(checked.quarantined):
            quarantine(merged.stored.path, checked.quarantined, files[0].name)
        times = checked.quarantined.time
        conflicting = [path for path, _, columns in good if len(times) and np.isin(columns.time, times).any()]
        if merged.conflicts and not conflicting:
            conflicting = list(files)
        notes = dict.fromkeys(note for _, part, _ in good for note in part.rows.notes)
        return Imported(
            *(symbol, frame, kind, files, checked.report, merged),
            naive=any(part.rows.naive for _, part, _ in good),
            notes=tuple(notes),
            conflicting=tuple(dict.fromkeys(conflicting)),
        )

    def _read(self, path: Path, key: _Key) -> tuple[ReadRows, ...]:
        """The rows of a file whose name states its market.

        Raises:
            DataError: they cannot be read, are of other markets, or leave something open, which is refused here.
        """
        symbol, frame, kind = key
        attempted = f"import {path}"
        known = ImportOptions(symbol, frame, None, self.options.read)
        read = read_file(path, known, attempted, market=symbol, volume=kind != "mark")
        if read.questions or read.missing is not None:
            self._ask(path, read, read.questions)
            return ()
        for part in read.parts:
            identify_symbol(part.rows, hints_of(path, "", ()), known, attempted)
            identify_timeframe(part.rows, hints_of(path, "", ()), known, frame, attempted)
        return read.parts

    def _merge_funding(self, market: MarketFile, files: list[Path]) -> Imported | None:
        if len(files) > 1:
            for path in files[1:]:
                error = DataError(
                    f"import {path}",
                    found=f"{len(files)} files of funding of {market.symbol}",
                    expected="one",
                    remedy="Import the files one by one.",
                )
                self._refuse(path, error)
        try:
            columns = read_funding_columns(files[0])
            checked = check_funding(columns, self.now)
            checked.report.require(str(files[0]))
        except DataError as error:
            self._refuse(files[0], error)
            return None
        if not _has_rows(self, market, tuple(files[:1]), checked.report):
            return None
        funding = Funding(market.symbol, checked.kept.time, checked.kept.rate)
        merged = merge_funding(self.folder, funding, source=files[0].name, synthetic=columns.synthetic, now=self.now)
        if len(checked.quarantined):
            quarantine(merged.stored.path, checked.quarantined, files[0].name)
        return Imported(market.symbol, market.timeframe, market.kind, tuple(files[:1]), checked.report, merged)


def _has_rows(work: _Import, market: MarketFile, files: tuple[Path, ...], report: QualityReport) -> bool:
    """Whether there is a closed row; otherwise the files are refused."""
    if not report.kept:
        what = (
            f"{report.conflicts} rows that contradict each other"
            if report.conflicts
            else f"no closed row in {counted(report.rows, 'row')}"
        )
        error = TooLittleHistoryError(
            f"import {market.kind} of {market.symbol}",
            found=f"{what} of {', '.join(str(path) for path in files[:3])}",
            expected="at least one",
            remedy="Download more of the market's history.",
        )
        work.refused += [RefusedFile(path, error) for path in files]
    return bool(report.kept)


def _could_hold_candles(path: Path) -> bool:
    return bool(ending_of(path)) and not path.name.endswith(SUFFIX)


def _is_foreign(read: ReadFile) -> bool:
    """Whether a file shows no sign of candles."""
    return all(question.option == "columns" and "..." in question.answer for question in read.questions)
