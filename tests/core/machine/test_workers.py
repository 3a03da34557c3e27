"""Tasks in processes of their own: the same results in any number of them, errors and ends that come through."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from quorate.core.errors import DataError, WorkerError
from quorate.core.machine.workers import run_next_tasks, run_tasks
from stubs import worker_fits, worker_tasks

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.name != "posix", reason="there are no workers")]

ROWS = np.arange(1_000.0)


def ignore(*content):
    pass


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_key_has_its_result(workers):
    found = dict(run_tasks(worker_tasks.Summed(ROWS), range(7), workers, report=ignore))
    assert found == {key: ROWS[key:].sum() for key in range(7)}


def test_tasks_run_in_other_processes_side_by_side_on_shared_rows():
    found = [result for _, result in run_tasks(worker_tasks.Address(ROWS), range(2), 2, report=ignore)]
    processes = {process for process, _, _ in found}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert [(writeable, aligned) for _, writeable, aligned in found] == [(False, True)] * 2


def test_one_key_is_done_here():
    ((_, (process, _, _)),) = run_tasks(worker_tasks.Address(ROWS), [1], 4, report=ignore)
    assert process == os.getpid()


def test_what_cannot_be_sent_is_done_here():
    def process(key, given, report):
        return os.getpid()

    assert dict(run_tasks(process, range(3), 3, report=ignore)) == dict.fromkeys(range(3), os.getpid())


@pytest.mark.parametrize("workers", [1, 3])
def test_a_task_begins_after_the_result_that_it_needs_was_taken(workers):
    # What a task is given is made from the results that were taken before it.
    taken = {}
    keys = ["a1", "b1", "a2", "b2", "a3"]
    after = {"a2": "a1", "a3": "a2", "b2": "b1"}

    def given(key):
        return taken[after[key]] if key in after else 0

    for key, result in run_tasks(worker_tasks.counted, keys, workers, report=ignore, after=after, given=given):
        taken |= {key: result}
    assert taken == {"a1": 1, "b1": 1, "a2": 2, "b2": 2, "a3": 3}


@pytest.mark.parametrize("workers", [1, 2])
def test_reports_come_here_the_last_one_of_a_stage_always(workers):
    said = []
    list(run_tasks(worker_tasks.reported, range(3), workers, report=lambda *content: said.append(content)))
    assert {content for content in said if content[1] == content[2]} == {(f"stage {key}", 200, 200) for key in range(3)}


def test_an_error_of_a_task_is_raised_here_and_ends_the_others():
    began = time.monotonic()
    with pytest.raises(DataError, match=r"could not read it: found nothing\. Look elsewhere"):
        list(run_tasks(worker_tasks.refused, range(3), 2, report=ignore))
    assert time.monotonic() - began < 40


def test_an_error_that_cannot_be_sent_comes_as_its_text():
    with pytest.raises(WorkerError, match="the reason and another"):
        list(run_tasks(worker_tasks.unpicklable, range(2), 2, report=ignore))


def test_a_process_that_is_killed_is_named():
    with pytest.raises(WorkerError, match=r"run [01] in a process of its own: found it ended by signal 9"):
        list(run_tasks(worker_tasks.killed, range(2), 2, report=ignore))


def test_a_task_whose_process_was_killed_begins_again_in_a_new_one(tmp_path, caplog):
    work = worker_tasks.KilledOnce(tmp_path, rows=ROWS)
    found = dict(run_tasks(work, range(4), 2, report=ignore, restarts=1))
    assert {rows for _, rows in found.values()} == {ROWS.sum()}
    (message,) = [record.getMessage() for record in caplog.records]
    assert "could not run 1 in a process of its own: found it ended by signal 9" in message
    assert "begun again" in message


def test_a_task_whose_processes_are_killed_too_often_is_named(tmp_path):
    work = worker_tasks.KilledOnce(tmp_path, times=2)
    with pytest.raises(WorkerError, match=r"run 1 in a process of its own: found it ended by signal 9"):
        list(run_tasks(work, range(3), 2, report=ignore, restarts=1))


def test_libraries_with_threads_in_this_process_do_not_stop_the_others():
    # Forks of this process would wait for threads that they do not have.
    here = worker_fits.fitted(0, None, ignore)
    found = dict(run_tasks(worker_fits.fitted, range(2), 2, report=ignore))
    np.testing.assert_array_equal(found[0], here)


SCRIPT = """
from quorate.core.machine.workers import run_next_tasks, run_tasks
from stubs import worker_tasks

list(run_tasks(worker_tasks.slow, range(2), 2, report=lambda *content: print(*content, flush=True)))
"""


def _accept_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_program(by):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT]
    pipe = subprocess.PIPE
    # A suite in the background of a shell ignores SIGINT, and so would the program.
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment, preexec_fn=_accept_interrupts) as program:
        program.stdout.readline()
        found = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text()
        children = [Path(f"/proc/{child}") for child in found.split()]
        assert len(children) == 2
        program.send_signal(by)
        program.wait(30)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and any(child.exists() for child in children):
            time.sleep(0.05)
        assert not any(child.exists() for child in children)
        assert (b"KeyboardInterrupt" in program.stderr.read()) == (by == signal.SIGINT)


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_that_become_known_as_others_end(workers):
    # A chain of three tasks for each letter: the next is known once the result of the one before was taken.
    ready, begun = ["a1", "b1"], []

    def task():
        if not ready:
            return None
        begun.append(ready.pop(0))
        return int(begun[-1][1]), None

    taken = []
    for key, result in run_next_tasks(worker_tasks.Summed(ROWS), task, workers, report=ignore):
        taken.append(key)
        assert result == ROWS[key:].sum()
        if key < 3:
            ready.append(f"c{key + 1}")
    assert sorted(taken) == [1, 1, 2, 2, 3, 3]
