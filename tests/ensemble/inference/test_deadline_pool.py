"""Questions that are answered in turn: who is slow, who hangs, who raises, and what the others notice of it."""

import os
import threading
import time
from collections import deque

import pytest

from quorate.ensemble.inference.deadline_pool import DeadlinePool


def says(answer, seconds=0.0):
    def question():
        time.sleep(seconds)
        return answer

    return question


def raises():
    raise RuntimeError("out of luck")


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_answers_come_in_the_order_of_the_questions_and_errors_in_their_place(threads):
    questions = [(str(i), says(i, 0.002 * (5 - i))) for i in range(5)] + [("broken", raises), ("last", says("x"))]
    found = DeadlinePool().ask(questions, 5.0, threads)
    assert found[:5] == [0, 1, 2, 3, 4]
    assert str(found[5]) == "out of luck"
    assert found[6] == "x"
    assert DeadlinePool().ask([], 1.0) == []


class SlowToSettle(deque):
    """Idle threads, of which each takes a moment to become one."""

    def append(self, lane):
        time.sleep(0.02)
        super().append(lane)


def test_quick_questions_are_answered_by_one_thread_that_was_there_before(monkeypatch):
    monkeypatch.setattr("quorate.ensemble.inference.deadline_pool._IDLE", SlowToSettle())
    asked = [(str(i), threading.get_ident) for i in range(4)]
    # Asked again the moment the answers are there: a thread that still counted as busy would be doubled.
    first, again = (DeadlinePool().ask(asked, 60.0) for _ in range(2))
    assert len({*first, *again}) == 1
    assert threading.get_ident() not in first


def test_behind_one_who_is_slow_all_others_get_threads_of_their_own():
    began = time.monotonic()
    found = DeadlinePool().ask([("slow", says(1, 0.3)), *[(str(i), says(i, 0.3)) for i in range(4)]], 2.0)
    assert found == [1, 0, 1, 2, 3]
    # In turn they would take 1.5 s; the tenth of the deadline that the first had alone comes on top.
    assert time.monotonic() - began < 0.9


def test_one_who_hangs_costs_the_deadline_and_no_second_thread():
    free, turns = threading.Event(), DeadlinePool()
    before = threading.active_count()
    try:
        for _ in range(4):
            began = time.monotonic()
            assert turns.ask([("hangs", lambda: free.wait(30)), ("sound", says(1))], 0.2) == [None, 1]
            assert time.monotonic() - began < 0.5
        time.sleep(0.05)
        assert threading.active_count() <= before + 3
    finally:
        free.set()
    assert turns.ask([("hangs", says(2))], 2.0) == [2]


def test_two_rounds_at_once_do_not_wait_for_each_other():
    turns, found = DeadlinePool(), {}
    together = threading.Barrier(2, timeout=10)

    def ask(name):
        found[name] = turns.ask([("both", together.wait)], 10.0)

    rounds = [threading.Thread(target=ask, args=(name,)) for name in "ab"]
    for one in rounds:
        one.start()
    for one in rounds:
        one.join()
    assert sorted(found["a"] + found["b"]) == [0, 1]


def test_a_forked_process_asks_with_threads_of_its_own():
    turns = DeadlinePool()
    assert turns.ask([("one", says(1))], 5.0) == [1]
    child = os.fork()
    if child == 0:
        os._exit(0 if turns.ask([("one", says(1))], 5.0) == [1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
