"""The folder of a study: what it is, its trials, and the judgement of its winner.

<study>/study.json        the data, code and settings that all its trials share
<study>/trials.journal    Optuna's journal: every trial, as it goes
<study>/judgement.json    the winner on later bars, written once

One process at a time writes; it holds the kernel's lock of the folder, which ends with it, killed or not. Whoever reads
needs no lock: the journal is only appended to, the other files are replaced atomically.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.errors import EvaluationError, MissingExtraError
from quorate.core.files import write_atomic, write_text_atomic
from quorate.core.folder_lock import folder_lock
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, parse_json, read_json

if TYPE_CHECKING:
    import optuna

_ABOUT, _JOURNAL, _JUDGEMENT = "study.json", "trials.journal", "judgement.json"
_NAME = "tune"
_log = logging.getLogger(__name__)


def require_optuna() -> None:
    """Check that Optuna is installed, before long work.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("optuna") is None:
        raise MissingExtraError(
            "search for settings", found="no optuna", expected="optuna", remedy="Run: pip install 'quorate[lifecycle]'"
        )


class StudyFolder:
    """A study on disk.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing; the folder is made.

        Raises:
            DataError: another process writes, or the folder cannot be made.
        """
        with folder_lock(self.path, wait_s=0, other="search"):
            yield

    def about(self) -> dict[str, Any] | None:
        """What the study is; None for a new one.

        Raises:
            EvaluationError: a file that cannot be read.
        """
        return self._read(_ABOUT)

    def begin(self, about: Mapping[str, Any]) -> None:
        """Write down what a new study is, or check that it is the one that was begun.

        Raises:
            EvaluationError: the study was begun with other data, code or settings.
        """
        known, given = self.about(), json.loads(json.dumps(about))
        if known is None:
            write_text_atomic(self.path / _ABOUT, json.dumps(given, indent=2) + "\n")
            return
        other = [name for name in {**known, **given} if known.get(name) != given.get(name)]
        if other:
            raise EvaluationError(
                f"resume the study {self.path}",
                found="another " + "; another ".join(f"{name}{_differences(known, given, name)}" for name in other),
                expected="what the study was begun with, since its trials could not be compared",
                remedy="Give the same options and settings, or begin another study with --study.",
            )

    def judgement(self) -> dict[str, Any] | None:
        """The judgement of the winner; None while there is none.

        Raises:
            EvaluationError: a file that cannot be read.
        """
        return self._read(_JUDGEMENT)

    def judge(self, judgement: Mapping[str, Any]) -> None:
        """Write the judgement down, once and for all."""
        write_text_atomic(self.path / _JUDGEMENT, json.dumps(judgement, indent=2, allow_nan=False) + "\n")

    def repair(self) -> bool:
        """Cut an incomplete last line off the journal, which a killed process left; whether there was one.

        Raises:
            EvaluationError: a damaged line in the middle.
        """
        path = self.path / _JOURNAL
        if not path.exists():
            return False
        content = read_regular(path)
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                parse_json(line)["op_code"]
            except MISSHAPEN as error:
                raise EvaluationError(
                    f"resume the study {self.path}",
                    found=f"line {number} of {_JOURNAL}, which is not a record ({type(error).__name__})",
                    expected="one JSON record a line",
                    remedy="Restore the file from a copy, or begin another study with --study.",
                ) from error
        if len(whole) < len(content):
            _log.warning("%s: cut off an incomplete last line of %d bytes", path, len(content) - len(whole))
            write_atomic(path, lambda temporary: _write(temporary, whole))
        return len(whole) < len(content)

    def open(self, prune: float) -> optuna.Study:
        """The trials, as Optuna's study.

        Args:
            prune: p-value below which the Wilcoxon test ends a trial; 0 for never.
        """
        import optuna

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner = optuna.pruners.WilcoxonPruner(p_threshold=prune) if prune else optuna.pruners.NopPruner()
        storage = self._storage()
        if storage.get_all_studies():
            return optuna.load_study(storage=storage, study_name=_NAME, pruner=pruner)
        return optuna.create_study(storage=storage, study_name=_NAME, direction="maximize", pruner=pruner)

    def read(self) -> optuna.Study | None:
        """The trials so far, to be read only; None before the first."""
        import optuna

        if not (self.path / _JOURNAL).exists():
            return None
        storage = self._storage()
        return optuna.load_study(storage=storage, study_name=_NAME) if storage.get_all_studies() else None

    def _storage(self) -> optuna.storages.JournalStorage:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # Whoever writes holds the lock of the folder; a lock file of Optuna's would outlive a killed process.
        path = self.path / _JOURNAL
        backend = optuna.storages.journal.JournalFileBackend(str(path), lock_obj=_no_lock(path))
        return optuna.storages.JournalStorage(backend)

    def exists(self) -> bool:
        """Whether a study was begun here."""
        return (self.path / _ABOUT).exists()

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = read_json(path)
        except (OSError, *MISSHAPEN) as error:
            raise EvaluationError(
                f"read {path}",
                found=f"no JSON document ({type(error).__name__})",
                expected="a document that `quorate tune` wrote",
                remedy="Restore it from a copy, or begin another study with --study.",
            ) from error
        return found


def _no_lock(path: Path) -> optuna.storages.journal.JournalFileOpenLock:
    from optuna.storages.journal import JournalFileOpenLock

    class Held(JournalFileOpenLock):
        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            pass

    return Held(str(path))


def _differences(known: Mapping[str, Any], given: Mapping[str, Any], name: str) -> str:
    """What differs in one entry, as a text: the names inside it, or both values."""
    before, now = known.get(name), given.get(name)
    if isinstance(before, dict) and isinstance(now, dict):
        return f" ({', '.join(key for key in {**before, **now} if before.get(key) != now.get(key))})"
    texts = [text if len(text := str(each)) < 60 else f"{text[:57]}..." for each in (now, before)]
    return f" ({texts[0]} instead of {texts[1]})"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
