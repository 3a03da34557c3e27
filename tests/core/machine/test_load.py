"""Processor time of others, from folders like /proc."""

import os

import pytest

from quorate.core.machine import Load, free_cores, free_workers
from stubs.fake_machine import FakeMachine

ME = os.getpid()
CORES = len(os.sched_getaffinity(0))


@pytest.fixture
def machine(tmp_path):
    return FakeMachine(tmp_path)


def test_others_are_named_by_what_they_used_and_this_process_and_its_children_are_not(machine):
    machine.process(10, 100.0, "train (v2) x")
    machine.process(ME, 50.0)
    machine.process(77, 1.0, parent=ME)
    machine.process(78, 1.0, parent=77)
    machine.busy(152.0)
    before = Load.now(machine.root, machine.clock)
    machine.at = 10.0
    machine.process(10, 108.0, "train (v2) x")
    machine.process(11, 3.0, "java")  # began in between
    machine.process(ME, 55.0)
    machine.process(77, 6.0, parent=ME)
    machine.process(78, 6.0, parent=77)
    machine.busy(178.0)
    others, used = Load.now(machine.root, machine.clock).since(before)
    assert [(other.pid, other.name, round(other.cores, 3)) for other in others] == [
        (10, "train (v2) x", 0.8),
        (11, "java", 0.3),
    ]
    assert used == pytest.approx(1.1)


def test_processes_that_cannot_be_seen_count_too(machine):
    before = Load.now(machine.root, machine.clock)
    machine.at = 10.0
    machine.busy(6.0)
    others, used = Load.now(machine.root, machine.clock).since(before)
    assert others == []
    assert used == pytest.approx(0.6)


def test_a_number_that_a_new_process_has_taken_counts_from_its_own_start(machine):
    machine.process(10, 100.0, start=5)
    before = Load.now(machine.root, machine.clock)
    machine.at = 10.0
    machine.process(10, 2.0, start=99)
    others, _ = Load.now(machine.root, machine.clock).since(before)
    assert others[0].cores == pytest.approx(0.2)


def test_free_cores_are_those_that_others_leave(machine):
    def sleep(seconds):
        machine.at += 4.0  # long enough for whole ticks
        machine.process(10, 3.0)
        machine.busy(3.0)

    assert free_cores(machine.root, sleep, machine.clock) == pytest.approx(CORES - 0.75)


def test_a_quota_below_what_is_free_holds(machine):
    machine.write("proc/self/cgroup", "0::/\n")
    machine.write("sys/fs/cgroup/cpu.max", "20000 100000")
    assert free_cores(machine.root, lambda _: None, machine.clock) == pytest.approx(0.2)


def test_without_proc_nothing_counts_as_used(tmp_path):
    assert free_cores(tmp_path, lambda _: None) == CORES


def test_this_machine_can_be_read():
    load = Load.now()
    assert load.busy > 0
    assert any(pid == ME for pid, _ in load.processes)


@pytest.mark.parametrize(("available_kib", "workers"), [(10 * 1024, 1), (1024**2, CORES), (0, 1)])
def test_workers_are_as_many_as_cores_and_memory_allow(machine, available_kib, workers):
    machine.write("proc/meminfo", f"MemTotal: 99999999 kB\nMemAvailable:  {available_kib} kB\n")
    assert free_workers(9 * 2**20, machine.root, lambda _: None) == workers


def test_a_machine_that_others_fill_has_one_worker(machine):
    def sleep(seconds):
        machine.busy(1_000.0 * CORES)

    assert free_workers(1, machine.root, sleep) == 1
