"""Tasks with a deadline: slow, hanging and failing tasks, and their effect on the others."""

import os
import threading
import time
from collections import deque

import pytest

from quorate.ensemble.inference.deadline_pool import DeadlinePool


def returns(result, seconds=0.0):
    def task():
        time.sleep(seconds)
        return result

    return task


def raises():
    raise RuntimeError("broken task")


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_and_errors_are_in_the_order_of_the_tasks(threads):
    tasks = [(str(i), returns(i, 0.002 * (5 - i))) for i in range(5)] + [("broken", raises), ("last", returns("x"))]
    found = DeadlinePool().run(tasks, 5.0, threads)
    assert found[:5] == [0, 1, 2, 3, 4]
    assert str(found[5]) == "broken task"
    assert found[6] == "x"
    assert DeadlinePool().run([], 1.0) == []


class SlowAppend(deque):
    """Idle workers, added with a delay."""

    def append(self, worker):
        time.sleep(0.02)
        super().append(worker)


def test_fast_tasks_run_on_one_reused_thread(monkeypatch):
    monkeypatch.setattr("quorate.ensemble.inference.deadline_pool._IDLE", SlowAppend())
    tasks = [(str(i), threading.get_ident) for i in range(4)]
    # Run again as soon as the results are there: the worker must be idle by then, or a second one would start.
    first, again = (DeadlinePool().run(tasks, 60.0) for _ in range(2))
    assert len({*first, *again}) == 1
    assert threading.get_ident() not in first


def test_tasks_behind_a_slow_one_run_concurrently():
    began = time.monotonic()
    found = DeadlinePool().run([("slow", returns(1, 0.3)), *[(str(i), returns(i, 0.3)) for i in range(4)]], 2.0)
    assert found == [1, 0, 1, 2, 3]
    # One after another they would take 1.5 s; a tenth of the deadline passes before further threads start.
    assert time.monotonic() - began < 0.9


def test_a_hanging_task_misses_the_deadline_and_blocks_one_thread_only():
    free, pool = threading.Event(), DeadlinePool()
    before = threading.active_count()
    try:
        for _ in range(4):
            began = time.monotonic()
            assert pool.run([("hangs", lambda: free.wait(30)), ("fast", returns(1))], 0.2) == [None, 1]
            assert time.monotonic() - began < 0.5
        time.sleep(0.05)
        assert threading.active_count() <= before + 3
    finally:
        free.set()
    assert pool.run([("hangs", returns(2))], 2.0) == [2]


def test_two_calls_at_once_do_not_wait_for_each_other():
    pool, found = DeadlinePool(), {}
    together = threading.Barrier(2, timeout=10)

    def run(name):
        found[name] = pool.run([("both", together.wait)], 10.0)

    callers = [threading.Thread(target=run, args=(name,)) for name in "ab"]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert sorted(found["a"] + found["b"]) == [0, 1]


def test_a_forked_process_uses_its_own_threads():
    pool = DeadlinePool()
    assert pool.run([("one", returns(1))], 5.0) == [1]
    child = os.fork()
    if child == 0:
        os._exit(0 if pool.run([("one", returns(1))], 5.0) == [1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
