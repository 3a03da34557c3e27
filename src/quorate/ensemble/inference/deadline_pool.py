"""Questions to members, answered by threads that are there already; nobody waits for an answer past the deadline.

To wake a thread costs more than most members need for an answer, so one thread asks them all in turn. If that takes
unusually long, somebody is slow, and all who wait behind get threads of their own at once.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Share of the deadline that one thread may take for all questions.
_PATIENCE = 0.1


class DeadlinePool:
    """Asks, and remembers who has not come back from an earlier question."""

    def __init__(self) -> None:
        self._away: Counter[str] = Counter()
        self._back = threading.Condition()

    def ask(
        self, questions: Sequence[tuple[str, Callable[[], T]]], deadline_s: float, threads: int = 1
    ) -> list[T | BaseException | None]:
        """The answer to each question, what it raised instead, or None where it did not come in time.

        Who is still busy with an earlier question that was given up is not asked before he is back.

        Args:
            questions: whom, and what to call.
            deadline_s: for all of them together.
            threads: that share the questions from the beginning.
        """
        if not questions:
            return []
        began = time.monotonic()
        asked = _Round(questions, self, began + deadline_s)
        for _ in range(min(threads, len(questions))):
            _lane().rounds.put(asked)
        if not asked.done.acquire(timeout=deadline_s * _PATIENCE):
            for _ in range(len(asked.pending)):
                _lane().rounds.put(asked)
            asked.done.acquire(timeout=max(0.0, began + deadline_s - time.monotonic()))
        return asked.close()

    def leave(self, name: str) -> None:
        """Somebody was given up while he was busy."""
        with self._back:
            self._away[name] += 1

    def come_back(self, name: str) -> None:
        """And has finished since."""
        with self._back:
            self._away[name] -= 1
            self._back.notify_all()

    def is_here(self, name: str, until: float) -> bool:
        """Whether he is free, or is so before that moment."""
        if not self._away[name]:
            return True
        with self._back:
            return self._back.wait_for(lambda: not self._away[name], max(0.0, until - time.monotonic()))


class _Round(Generic[T]):
    """Questions that are asked together, whichever threads take them."""

    def __init__(self, questions: Sequence[tuple[str, Callable[[], T]]], turns: DeadlinePool, until: float) -> None:
        self.pending = deque(enumerate(questions))
        self.done = threading.Lock()
        self.done.acquire()
        self._turns, self._until = turns, until
        self._answers: list[T | BaseException | None] = [None] * len(questions)
        self._missing = len(questions)
        self._busy: list[str] = []
        self._closed = False
        self._lock = threading.Lock()

    def run(self) -> bool:
        """Ask until nobody is left to be asked; whether the last answer that was missing came here."""
        while self.pending:
            try:
                place, (name, question) = self.pending.popleft()
            except IndexError:  # another thread was quicker
                return False
            if not self._turns.is_here(name, self._until):
                continue
            with self._lock:
                if self._closed:
                    return False
                self._busy.append(name)
            answer: T | BaseException
            try:
                answer = question()
            except BaseException as error:  # noqa: BLE001 - whoever asked is told, as a future tells it
                answer = error
            with self._lock:
                if not self._closed:
                    self._busy.remove(name)
                    self._answers[place] = answer
                    self._missing -= 1
                    if not self._missing:
                        return True
                    continue
            self._turns.come_back(name)
        return False

    def close(self) -> list[T | BaseException | None]:
        """The answers as they are now; later ones are heard by nobody."""
        with self._lock:
            self._closed = True
            self.pending.clear()
            for name in self._busy:
                self._turns.leave(name)
        return self._answers


class _Lane(threading.Thread):
    """A thread that goes through one round after another."""

    def __init__(self) -> None:
        super().__init__(name="quorate-members", daemon=True)  # one that hangs does not hold up the process's end
        self.rounds: SimpleQueue[_Round[Any]] = SimpleQueue()

    def run(self) -> None:
        while True:
            asked = self.rounds.get()
            complete = asked.run()
            _IDLE.append(self)  # first: who hears that his answers are there may ask again at once
            if complete:
                asked.done.release()


# Shared by all ensembles of the process. The newest comes first: what it needs is still in the caches.
_IDLE: deque[_Lane] = deque()

if sys.platform != "win32":  # where nothing forks
    os.register_at_fork(after_in_child=_IDLE.clear)


def _lane() -> _Lane:
    try:
        return _IDLE.pop()
    except IndexError:
        lane = _Lane()
        lane.start()
        return lane
