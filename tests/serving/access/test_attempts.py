"""Limits of wrong tokens, with a window of seconds."""

import time

import pytest

from quorate.core.sections.access import AccessSettings
from quorate.serving.access.attempts import Attempts, group_of


def attempts(one=3, everyone=10, window_s=60):
    return Attempts(AccessSettings(attempts=one, attempts_total=everyone, attempts_window_s=window_s))


def test_an_address_is_refused_after_its_attempts_and_others_are_not():
    limits = attempts()
    for _ in range(3):
        assert limits.refused_s("192.0.2.1") == 0
        assert limits.count("192.0.2.1") == 0
    assert 59 <= limits.refused_s("192.0.2.1") <= 60
    assert limits.refused_s("192.0.2.2") == 0


@pytest.mark.integration
def test_an_address_may_try_again_after_its_window():
    limits = attempts(one=1, window_s=1)
    limits.count("192.0.2.1")
    assert limits.refused_s("192.0.2.1") == 1
    time.sleep(1.1)
    assert limits.refused_s("192.0.2.1") == 0


def test_many_addresses_exhaust_the_total_and_are_not_kept():
    limits = attempts()
    counted = [limits.count(f"192.0.2.{number}") for number in range(100)]
    assert counted[:10] == [0] * 10
    assert all(left > 0 for left in counted[10:])
    assert limits.refused_s("192.0.2.99") == 0  # its right token is still accepted
    assert len(limits._limiter.storage.storage) <= 11


@pytest.mark.integration
def test_nothing_is_kept_of_windows_that_ended():
    limits = attempts(window_s=1)
    for number in range(5):
        limits.count(f"192.0.2.{number}")
    time.sleep(1.1)
    limits.count("192.0.2.200")
    time.sleep(0.1)  # the storage forgets in a thread, 10 ms after a count
    assert len(limits._limiter.storage.storage) == 2


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::/64"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:bbbb::2", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::1", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("unknown", "others"),
        ("", "others"),
        ("x" * 10_000, "others"),
    ],
)
def test_groups_of_addresses(address, group):
    assert group_of(address) == group
