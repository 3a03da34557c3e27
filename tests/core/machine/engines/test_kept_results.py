"""Finished jobs are kept where a folder is named, and an interrupted run does only what is left."""

from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pytest

from quorate.core.errors import DataError
from quorate.core.machine.workers import run_tasks
from quorate.core.sections.engine import EngineSettings


@dataclass(eq=False)
class Counting:
    """Sums rows, and notes which keys it did in this process."""

    rows: np.ndarray
    names: frozenset[str] = frozenset("abcdefgh")
    fixed: MappingProxyType = field(default_factory=lambda: MappingProxyType({"a": 1}))
    did: list = field(default_factory=list)

    def __call__(self, key, given, report):
        self.did.append(key)
        return self.rows[key:].sum() + (given or 0.0)

    def __reduce__(self):  # what it did is no part of what it does
        return Counting, (self.rows, self.names, self.fixed)


ROWS = np.arange(100.0)


@pytest.fixture
def engine(tmp_path):
    return EngineSettings(folder=str(tmp_path / "jobs"))


def run(work, engine, keys=range(5), stop=None, **options):
    taken, resumed = {}, []
    for key, result in run_tasks(
        work, keys, 1, report=lambda *_: None, engine=engine, resumed=resumed.append, **options
    ):
        taken[key] = result
        if len(taken) == stop:
            raise KeyboardInterrupt
    return taken, resumed


def interrupted(engine, **options):
    work = Counting(ROWS)
    with pytest.raises(KeyboardInterrupt):
        run(work, engine, stop=3, **options)
    assert work.did == [0, 1, 2]


def test_an_interrupted_run_does_only_what_is_left(engine, tmp_path):
    interrupted(engine)
    again = Counting(ROWS.copy())
    taken, resumed = run(again, engine)
    assert (again.did, resumed) == ([3, 4], [0, 1, 2])
    assert taken == {key: ROWS[key:].sum() for key in range(5)}
    assert not (tmp_path / "jobs").exists()


def test_tasks_that_wait_for_kept_results_go_on(engine):
    after, given = {1: 0, 2: 1, 3: 2, 4: 3}, {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}
    interrupted(engine, after=after, given=given.get)
    again = Counting(ROWS)
    taken, resumed = run(again, engine, after=after, given=given.get)
    assert (again.did, resumed, list(taken)) == ([3, 4], [0, 1, 2], [0, 1, 2, 3, 4])


def test_a_run_whose_results_are_all_kept_starts_nothing(engine):
    interrupted(engine)
    again = Counting(ROWS)
    assert run(again, engine, keys=range(3)) == ({key: ROWS[key:].sum() for key in range(3)}, [0, 1, 2])
    assert again.did == []


@pytest.mark.parametrize(
    ("work", "options"),
    [
        (Counting(ROWS + 1.0), {}),
        (Counting(ROWS, frozenset("abc")), {}),
        (Counting(ROWS, fixed=MappingProxyType({"a": 2})), {}),
        (Counting(ROWS), {"about": {"mine.py": "another source"}}),
        (Counting(ROWS), {"given": lambda _: 1.0}),
    ],
)
def test_other_data_settings_or_sources_are_another_run(engine, work, options):
    interrupted(engine)
    _, resumed = run(work, engine, **options)
    assert (work.did, resumed) == ([0, 1, 2, 3, 4], [])


def test_an_altered_or_cut_file_is_done_again(engine, tmp_path):
    interrupted(engine)
    first, second, _ = sorted((tmp_path / "jobs").rglob("*.result"))
    first.write_bytes(first.read_bytes()[:-1])
    second.write_bytes(b"")
    again = Counting(ROWS)
    taken, resumed = run(again, engine)
    assert taken == {key: ROWS[key:].sum() for key in range(5)}
    assert len(again.did) == 4
    assert len(resumed) == 1


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "jobs").write_text("a file")
    with pytest.raises(DataError, match="jobs"):
        run(Counting(ROWS), EngineSettings(folder=str(tmp_path / "jobs")))
