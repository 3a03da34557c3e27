"""What slows a run is named once: others, swap, the container's quota."""

import os

import pytest

from quorate.core.machine import SlowdownWatch
from quorate.core.machine.cores import whole_cores
from stubs.fake_machine import FakeMachine

CORES = whole_cores()


@pytest.fixture
def machine(tmp_path):
    return FakeMachine(tmp_path)


@pytest.fixture
def watch(machine):
    machine.process(10, 0.0, "java")
    machine.process(11, 0.0, "rustc")
    return SlowdownWatch(machine.root, machine.clock)


def test_others_that_leave_no_core_free_are_named_once(machine, watch):
    machine.at = 20.0
    machine.process(10, 16.0 * CORES, "java")
    machine.process(11, 4.0 * CORES, "rustc")
    machine.busy(20.0 * CORES)
    assert watch() == (
        f"this run is slowed down: 2 other processes use {CORES:.1f} of {CORES} cores: "
        f"java (pid 10) {0.8 * CORES:.1f}, rustc (pid 11) {0.2 * CORES:.1f}"
    )
    machine.at = 40.0
    machine.process(10, 36.0 * CORES, "java")
    machine.busy(40.0 * CORES)
    assert watch() is None


def test_it_does_not_look_before_twenty_seconds(machine, watch):
    machine.at = 19.9
    machine.process(10, 19.0 * CORES, "java")
    machine.busy(19.0 * CORES)
    assert watch() is None
    machine.at = 20.0
    assert "java (pid 10)" in watch()


def test_others_are_nothing_to_say_while_cores_are_idle(machine, watch):
    machine.at = 20.0
    machine.process(10, 20.0 * CORES * 0.5, "java")
    machine.busy(20.0 * CORES * 0.8)
    assert watch() is None


def test_this_run_may_use_all_cores(machine, watch):
    machine.at = 20.0
    machine.process(os.getpid(), 20.0 * CORES)
    machine.busy(20.0 * CORES)
    assert watch() is None


def test_swapped_memory_is_named(machine, watch):
    machine.counters("proc/vmstat", {"pswpin": 100, "pswpout": 5})
    watch = SlowdownWatch(machine.root, machine.clock)
    machine.at = 20.0
    pages = 20 * 3 * 2**20 // os.sysconf("SC_PAGE_SIZE")
    machine.counters("proc/vmstat", {"pswpin": 100 + pages, "pswpout": 5})
    assert "memory is swapped at 3 MiB/s" in watch()


@pytest.mark.parametrize(("held", "said"), [(30, True), (10, False)])
def test_the_quota_of_a_container_is_named_where_it_was_used_up(machine, held, said):
    machine.write("proc/self/cgroup", "0::/\n")
    machine.write("sys/fs/cgroup/cpu.max", "50000 100000")
    machine.counters("sys/fs/cgroup/cpu.stat", {"nr_periods": 1000, "nr_throttled": 900})
    watch = SlowdownWatch(machine.root, machine.clock)
    machine.at = 20.0
    machine.counters("sys/fs/cgroup/cpu.stat", {"nr_periods": 1100, "nr_throttled": 900 + held})
    found = watch()
    assert (found is not None and "its container limits it to 0.5 cores" in found) == said
