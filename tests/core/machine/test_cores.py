"""Cores by affinity and by the quotas of control groups, read from folders like /proc and /sys."""

import os

import pytest

from quorate.core.machine import allowed_cores, whole_cores

CORES = len(os.sched_getaffinity(0))


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_without_control_groups_the_affinity_holds(tmp_path):
    assert allowed_cores(tmp_path) == CORES


def test_the_affinity_of_this_machine_is_followed(tmp_path):
    one = {min(os.sched_getaffinity(0))}
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, one)
        assert whole_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("quota", "cores", "threads"),
    [("50000 100000", 0.5, 1), ("99000 100000", 0.99, 1), ("max 100000", CORES, CORES), ("", CORES, CORES)],
)
def test_the_quota_of_version_two(tmp_path, quota, cores, threads):
    write(tmp_path, "proc/self/cgroup", "0::/\n")
    write(tmp_path, "sys/fs/cgroup/cpu.max", quota)
    assert allowed_cores(tmp_path) == cores
    assert whole_cores(tmp_path) == threads


def test_the_strictest_group_up_to_the_root_holds(tmp_path):
    write(tmp_path, "proc/self/cgroup", "0::/user/app\n")
    write(tmp_path, "sys/fs/cgroup/user/app/cpu.max", "90000 100000")
    write(tmp_path, "sys/fs/cgroup/user/cpu.max", "25000 100000")
    assert allowed_cores(tmp_path) == 0.25


@pytest.mark.parametrize(("quota", "cores"), [("75000", 0.75), ("-1", CORES)])
def test_the_quota_of_version_one_where_the_container_sees_its_group_as_the_root(tmp_path, quota, cores):
    write(tmp_path, "proc/self/cgroup", "3:cpuset:/\n2:cpu,cpuacct:/docker/abc\n0::/\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota)
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert allowed_cores(tmp_path) == cores
