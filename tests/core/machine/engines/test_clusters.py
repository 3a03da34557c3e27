"""Tasks on real clusters of two workers on this machine: the same results as here, whatever happens to a worker."""

import os
import socket
import time
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import DataError, MissingExtraError, WorkerError
from quorate.core.machine.engines import Payload
from quorate.core.machine.engines.job import Sender, do_job
from quorate.core.machine.engines.local_dask import LocalDask
from quorate.core.machine.engines.ray_cluster import RayCluster
from quorate.core.machine.workers import run_tasks
from quorate.core.sections.engine import EngineSettings
from quorate.core.settings import (
    EvaluationSettings,
    ModelSettings,
    NHiTSSettings,
    PolicySettings,
    Settings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.market import SyntheticMarket
from quorate.targets import ForwardClass
from stubs import worker_tasks

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.name != "posix", reason="there are no workers")]

ROWS = np.arange(100_000.0)
NAMES = ("dask", "ray")
MEMBERS = ("xgboost", "nhits")
SETTINGS = Settings(
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=5, depth=2),
        nhits=NHiTSSettings(window=24, hidden=(8, 8, 8), epochs=1),
    ),
    train=TrainSettings(features="core14"),
    policy=PolicySettings(refit="none"),
    evaluation=EvaluationSettings(resamples=100, folds=2),
)


def ignore(*content):
    pass


@pytest.fixture(scope="module")
def dask():
    cluster = LocalDask(2, 60.0)
    yield EngineSettings(name="dask", address=cluster.address, retries=1)
    cluster.close()


@pytest.fixture(scope="module")
def ray():
    # Tasks use the connection that the program has.
    cluster = RayCluster(Payload.of(worker_tasks.counted), EngineSettings(name="ray", workers=2), 2)
    yield EngineSettings(name="ray", retries=1)
    cluster.close()


@pytest.fixture(params=NAMES)
def engine(request):
    return request.getfixturevalue(request.param)


def run(work, keys, engine, report=ignore, **options):
    return run_tasks(work, keys, 2, report=report, engine=engine, **options)


def test_every_key_has_its_result_after_the_one_that_it_needs(engine):
    after = {2: 0, 3: 2}
    taken = {}
    for key, result in run(worker_tasks.Summed(ROWS), range(5), engine, after=after):
        assert key not in after or after[key] in taken
        taken[key] = result
    assert taken == {key: ROWS[key:].sum() for key in range(5)}


def test_rows_are_read_only_and_aligned_in_two_other_processes(engine):
    found = [result for _, result in run(worker_tasks.Address(ROWS), range(4), engine)]
    assert os.getpid() not in {process for process, _, _ in found}
    assert len({process for process, _, _ in found}) == 2
    assert {(writeable, aligned) for _, writeable, aligned in found} == {(False, True)}


@pytest.fixture(scope="module")
def rows():
    return build_rows(SyntheticMarket(seed=3, symbols=2, bars=400, edge=0.3).panel(), "core14", ForwardClass())


@pytest.fixture(scope="module")
def here(rows):
    return walk(rows, MEMBERS, SETTINGS, WalkOptions(workers=1))


def test_a_walk_forward_has_the_same_bytes_as_here(engine, rows, here):
    said = []
    settings = replace(SETTINGS, engine=engine)
    found = walk(rows, MEMBERS, settings, WalkOptions(workers=2), lambda *stage: said.append(stage))
    assert found.scores.keys() == here.scores.keys()
    for name, table in here.scores.items():
        assert found.scores[name].tobytes() == table.tobytes()
        assert np.isfinite(table[here.folds[-1].test]).any()
    for name, table in here.probabilities.items():
        assert found.probabilities[name].tobytes() == table.tobytes()
    assert [policy.report for policy in found.policies] == [policy.report for policy in here.policies]
    assert {"fold 1/2, nhits (2/2)", "fold 2/2, nhits (2/2)"} <= {stage for stage, done, all_ in said if done == all_}


def test_a_job_whose_worker_is_killed_runs_again(engine, tmp_path):
    marks = {1: tmp_path / "killed"}
    assert dict(run(worker_tasks.killed_once, range(4), engine, given=marks.get)) == {0: 0, 1: 2, 2: 4, 3: 6}
    assert marks[1].exists()


def test_a_job_that_kills_every_worker_is_named_after_all_others_have_their_results(engine):
    taken = {}
    with pytest.raises(WorkerError, match=rf"run 1 on {engine.name}: found that it ended [234] workers, the last one"):
        taken.update(run(worker_tasks.poisoned, range(5), replace(engine, retries=0)))
    assert taken == {0: 0, 2: 4, 3: 6, 4: 8}


def test_a_job_that_raises_is_named_after_all_others_have_their_results(engine):
    taken = {}
    with pytest.raises(DataError, match=rf"read it \(job 1 on {engine.name}\): found nothing\. Look elsewhere"):
        taken.update(run(worker_tasks.refuses_one, range(5), engine))
    assert taken == {0: 0, 2: 4, 3: 6, 4: 8}


def test_reports_come_here_the_last_one_of_a_stage_always(engine):
    said = []
    for key, _ in run(worker_tasks.reported, range(3), engine, lambda *content: said.append(content)):
        assert said[-1][1:] == (200, 200) or (f"stage {key}", 200, 200) in said
    assert {content for content in said if content[1] == 200} == {(f"stage {key}", 200, 200) for key in range(3)}


def test_data_leave_this_process_once_however_many_jobs_there_are(engine, monkeypatch):
    sent, whole = [], Payload.__reduce_ex__

    def counted(payload, protocol):
        sent.append(payload.size)
        return whole(payload, protocol)

    monkeypatch.setattr(Payload, "__reduce_ex__", counted)
    list(run(worker_tasks.Summed(ROWS), range(12), engine))
    (size,) = sent
    assert ROWS.nbytes < size < ROWS.nbytes + 10_000


def test_a_consumer_that_stops_gives_up_what_is_running(engine):
    began = time.monotonic()
    for _ in run(worker_tasks.Address(ROWS), range(1_000), engine):
        break
    assert time.monotonic() - began < 40


def test_a_cluster_that_is_started_for_the_run():
    began = EngineSettings(name="dask", workers=1, retries=0)
    assert dict(run(worker_tasks.Summed(ROWS), range(2), began)) == {key: ROWS[key:].sum() for key in range(2)}


def test_a_function_inside_another_is_refused(engine):
    def inner(key, given, report):
        return key

    with pytest.raises(WorkerError, match=f"send the jobs to {engine.name}: found a function or class that is defined"):
        list(run(inner, range(2), engine))


@pytest.mark.parametrize(("name", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_missing_library_names_its_extra(name, library, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"Run: pip install 'quorate\[{name}\]'"):
        list(run(worker_tasks.counted, range(2), EngineSettings(name=name)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("dask", "tcp://127.0.0.1:{port}"),
        ("ray", "ray://127.0.0.1:{port}"),
        ("ray", "127.0.0.1:{port}"),
        ("dask", "auto"),
        ("dask", "127.0.0.1:8786"),
        ("dask", "tcp://127.0.0.1"),
        ("dask", "tcp://127.0.0.1:port"),
        ("ray", "tcp://127.0.0.1:8786"),
    ],
)
def test_a_wrong_address_is_an_error_within_seconds(name, address):
    engine, began = EngineSettings(name=name, address=address.format(port=free_port()), timeout_s=2), time.monotonic()
    with pytest.raises(WorkerError, match=f"reach the {name} cluster: found .* expected a cluster at the setting"):
        list(run(worker_tasks.counted, range(2), engine))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("name", "scheme", "found"),
    [("dask", "tcp://", "no scheduler of Dask at"), ("ray", "ray://", "no answer at"), ("ray", "", "no answer at")],
)
def test_a_silent_server_is_an_error_within_seconds(name, scheme, found):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
        engine, began = EngineSettings(name=name, address=address, timeout_s=1), time.monotonic()
        with pytest.raises(WorkerError, match=f"found {found}"):
            list(run(worker_tasks.counted, range(2), engine))
        assert time.monotonic() - began < 15


def test_a_worker_of_another_version_refuses_jobs(monkeypatch):
    import pickle

    monkeypatch.setenv("QUORATE_WORKER", "1")  # a job sets it, for its process
    sender = Sender({**Sender.here(same_machine=False).versions, "numpy": "1.0"})
    kind, error = pickle.loads(do_job(Payload.of(worker_tasks.counted), pickle.dumps((1, 2)), sender, ignore))
    assert kind == "error"
    assert "instead of 1.0" in str(error)
    assert "constraints.txt" in error.remedy


def test_jobs_of_a_worker_run_in_it(monkeypatch):
    # Whatever the settings say: a job has neither processes nor a cluster of its own.
    monkeypatch.setenv("QUORATE_WORKER", "1")
    assert dict(run(worker_tasks.counted, range(2), EngineSettings(name="ray"), given=lambda key: key)) == {0: 1, 1: 2}
