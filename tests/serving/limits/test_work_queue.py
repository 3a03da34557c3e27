"""Calls in a few threads: those beyond them wait, in turn of their clients, and those beyond the queue are refused."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.errors import OverloadedError
from quorate.serving.limits.work_queue import WorkQueue


def run(coroutine):
    return asyncio.run(coroutine)


async def hold(queue, client, release, order=None):
    """A call that takes until `release`."""

    def call():
        release.wait(5)
        if order is not None:
            order.append(client)
        return client

    return await queue.run(client, call)


def test_calls_beyond_the_threads_wait_and_beyond_the_queue_are_refused():
    async def check():
        queue, release = WorkQueue(2, 3, 5), threading.Event()
        calls = [asyncio.create_task(hold(queue, "a", release)) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert queue.waiting == 3
        with pytest.raises(OverloadedError, match="3 requests"):
            await hold(queue, "a", release)
        release.set()
        assert await asyncio.gather(*calls) == ["a"] * 5
        assert (queue.waiting, queue.shed) == (0, 1)
        assert await hold(queue, "a", release) == "a"
        queue.close()

    run(check())


def test_a_client_with_many_calls_does_not_delay_the_others():
    async def check():
        queue, release, order = WorkQueue(1, 20, 5), threading.Event(), []
        calls = [asyncio.create_task(hold(queue, "greedy", release, order)) for _ in range(10)]
        await asyncio.sleep(0.02)
        calls += [asyncio.create_task(hold(queue, name, release, order)) for name in ("b", "c")]
        await asyncio.sleep(0.02)
        release.set()
        await asyncio.gather(*calls)
        assert {"b", "c"} <= set(order[:4])
        queue.close()

    run(check())


def test_when_the_queue_is_full_the_client_with_most_calls_loses_its_newest():
    async def check():
        queue, release = WorkQueue(1, 4, 5), threading.Event()
        greedy = [asyncio.create_task(hold(queue, "greedy", release)) for _ in range(5)]
        await asyncio.sleep(0.02)
        modest = asyncio.create_task(hold(queue, "modest", release))
        await asyncio.sleep(0.02)
        assert greedy[-1].done()
        assert isinstance(greedy[-1].exception(), OverloadedError)
        assert not any(call.done() for call in greedy[:-1])
        release.set()
        assert await modest == "modest"
        assert await asyncio.gather(*greedy[:-1]) == ["greedy"] * 4
        queue.close()

    run(check())


def test_a_call_that_waited_too_long_is_refused_and_forgotten():
    async def check():
        queue, release = WorkQueue(1, 4, 0.05), threading.Event()
        first = asyncio.create_task(hold(queue, "a", release))
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError):
            await hold(queue, "b", release)
        assert queue.waiting == 0
        release.set()
        assert await first == "a"
        assert await hold(queue, "b", release) == "b"
        queue.close()

    run(check())


def test_cancelled_calls_leave_their_place():
    async def check():
        queue, release = WorkQueue(1, 4, 5), threading.Event()
        first = asyncio.create_task(hold(queue, "a", release))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(hold(queue, "b", release)) for _ in range(4)]
        await asyncio.sleep(0.01)
        for call in waiting[::2]:
            call.cancel()
        await asyncio.sleep(0.01)
        assert queue.waiting == 2
        release.set()
        await first
        # Cancelled in the same moment in which it is given the thread.
        waiting[1].cancel()
        with suppress(asyncio.CancelledError):
            await waiting[1]
        assert await waiting[3] == "b"
        assert await asyncio.wait_for(hold(queue, "c", release), 1) == "c"
        queue.close()

    run(check())


def test_errors_of_a_call_are_those_of_its_request():
    async def check():
        queue = WorkQueue(1, 1, 1)

        def fail():
            raise KeyError("x")

        for _ in range(3):
            with pytest.raises(KeyError):
                await queue.run("a", fail)
        assert await queue.run("a", lambda: 1) == 1
        queue.close()

    run(check())


@pytest.mark.integration
@given(
    st.integers(1, 3),
    st.integers(1, 6),
    st.sampled_from([0.003, 1.0]),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), min_size=1, max_size=30),
)
@settings(max_examples=60)
def test_every_call_is_answered_or_refused_whatever_comes(threads, most, patience_s, calls):
    """Random clients, pauses and cancellations: the limits hold all the time, and everything is free at the end."""
    running, lock = Counter(), threading.Lock()

    def work(client):
        with lock:
            running["now"] += 1
            running["most"] = max(running["most"], running["now"])
        time.sleep(0.001)
        with lock:
            running["now"] -= 1
        return client

    async def check():
        queue = WorkQueue(threads, most, patience_s)
        tasks = []
        for client, pause_ms, cancelled in calls:
            tasks.append((client, asyncio.create_task(queue.run(client, lambda client=client: work(client)))))
            await asyncio.sleep(pause_ms / 1000)
            if cancelled:
                tasks[len(tasks) // 2][1].cancel()
            assert 0 <= queue.waiting <= most
        results = await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
        for (client, _), result in zip(tasks, results, strict=True):
            assert result == client or isinstance(result, OverloadedError | asyncio.CancelledError)
        assert queue.waiting == 0
        assert sum(isinstance(result, OverloadedError) for result in results) <= queue.shed
        # All threads are free again: as many calls run at once, and no call waits.
        barrier = threading.Barrier(threads)
        await asyncio.wait_for(asyncio.gather(*(queue.run("z", barrier.wait) for _ in range(threads))), 2)
        queue.close()

    run(check())
    assert running["most"] <= threads
