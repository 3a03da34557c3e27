"""Subscriptions get every event once, in order; a slow one ends with a last event that says so."""

import asyncio

import pytest

from quorate.serving.live.events import LiveEvent
from quorate.serving.live.hub import EventHub

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


def event(number, kind="bar"):
    return LiveEvent.of(kind, {"n": number}, number)


def numbers(events):
    return [event.number for event in events]


async def test_events_wait_until_they_are_read():
    hub = EventHub(10)
    first, second = hub.subscribe(), hub.subscribe(["fill"])
    hub.publish(event(1), event(2, "fill"))
    hub.publish(event(3))
    assert numbers(await first.read(0)) == [1, 2, 3]
    assert numbers(await second.read(0)) == [2]
    assert await first.read(0.01) == []
    reading = asyncio.create_task(first.read(10))
    await asyncio.sleep(0.01)
    hub.publish(event(4))
    assert numbers(await asyncio.wait_for(reading, 1)) == [4]


async def test_a_slow_subscription_ends_and_says_so():
    hub = EventHub(3)
    slow, quick = hub.subscribe(), hub.subscribe()
    for number in range(1, 5):
        hub.publish(event(number))
        assert numbers(await quick.read(0)) == [number]
    assert slow.ended
    (last,) = await slow.read(0)
    assert (last.kind, last.number) == ("dropped", None)
    assert b"more than 3 events" in last.content
    hub.publish(event(9))
    assert await slow.read(0.01) == []
    assert len(hub) == 1


async def test_events_from_another_thread():
    hub = EventHub(3)
    hub.publish_from_thread(event(1))  # before any subscription: nobody waits
    subscription = hub.subscribe()
    await asyncio.to_thread(hub.publish_from_thread, event(2))
    assert numbers(await subscription.read(1)) == [2]


async def test_closing_ends_present_and_future_subscriptions():
    hub = EventHub(3)
    subscription = hub.subscribe()
    reading = asyncio.create_task(subscription.read(10))
    await asyncio.sleep(0.01)
    hub.close()
    assert await asyncio.wait_for(reading, 1) == []
    assert subscription.ended
    assert hub.subscribe().ended
    assert len(hub) == 0


@pytest.mark.parametrize("kind", ["bar", "skipped"])
def test_an_event_of_no_record_has_no_id(kind):
    assert b"id:" not in LiveEvent.of(kind, {}).content
