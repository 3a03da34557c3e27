"""Checkpoints: an interrupted run resumes and ends with the same weights; damaged files are refused."""

import logging
import os
import random
import resource
import signal
import time
import warnings
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from torch import nn

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.models.networks.recurrent.network import RecurrentConfig, RecurrentNetwork
from quorate.models.networks.training import TrainingOptions, cross_entropy, fit_network
from quorate.models.networks.training.checkpoint import Checkpoint, CheckpointState

# A checkpoint after every step.
SETTINGS = NetworkSettings(epochs=5, batch=64, share=0.8, learning_rate=0.01, patience=5, checkpoint_s=0)


class CutOffError(Exception):
    pass


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return RecurrentNetwork(
            RecurrentConfig(features=3, outputs=3, width=16, layers=2, dropout=0.3, head=8), nn.LSTM
        )


@pytest.fixture
def run(small):
    def run(module, settings=SETTINGS, *, seed=3, checkpoint=None, until=None, **kwargs):
        def progress(done, total):
            if done == until:
                raise CutOffError

        examples = kwargs.pop("examples", small.examples(300))
        stopping = kwargs.pop("stopping", small.examples(60, 1))
        given = {"name": "it", "seed": seed, "threads": 1, "progress": progress, "checkpoint": checkpoint, **kwargs}
        return fit_network(module, examples, stopping, cross_entropy, TrainingOptions(settings, **given))

    return run


@pytest.fixture
def whole(small, run):
    module = network()
    history = run(module)
    return small.weights(module), history


@pytest.fixture
def path(tmp_path):
    return tmp_path / "it.checkpoint"


@pytest.mark.parametrize("step", [1, 3, 4, 9, 19, 20])
def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(small, run, whole, path, step):
    """In the middle of an epoch, at its end, before the last step and after it."""
    with pytest.raises(CutOffError):
        run(network(), checkpoint=path, until=step)
    assert path.exists()
    module, steps = network(), []
    history = run(module, checkpoint=path, progress=lambda done, total: steps.append((done, total)))
    assert small.weights(module) == whole[0]
    assert replace(history, seconds=0) == replace(whole[1], seconds=0)
    assert steps == [(done, 20) for done in range(step + 1, 21)]
    assert list(path.parent.iterdir()) == []


def test_a_run_interrupted_after_early_stopping_resumes(small, run, path):
    """Between the last validation and the removal of the file."""
    stopping = small.examples(60, 1)
    stopping._target = 2 - stopping._target
    settings = replace(SETTINGS, epochs=30, patience=2, schedule="constant")
    whole = network()
    history = run(whole, settings, stopping=stopping)
    assert history.stopped == "patience"
    with pytest.raises(CutOffError):
        run(network(), settings, stopping=stopping, checkpoint=path, until=history.steps)
    module = network()
    resumed = run(module, settings, stopping=stopping, checkpoint=path)
    assert small.weights(module) == small.weights(whole)
    assert replace(resumed, seconds=0) == replace(history, seconds=0)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(small, run, whole, path, seed):
    """SIGKILL of a child process at random moments; a checkpoint is written at every step.

    Each step waits for 3 ms and each kill comes within 15 ms, so that at most 5 of the 20 steps pass between kills.
    """
    draw, kills = random.Random(seed), 0
    done = path.parent / "done"
    for _ in range(200):
        with warnings.catch_warnings():
            # Newer Python versions warn of a fork with threads; the child uses none.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            code = 1
            try:
                module = network()
                run(module, checkpoint=path, progress=lambda *_: time.sleep(0.003))
                done.write_bytes(small.weights(module))
                code = 0
            finally:
                os._exit(code)
        if kills < 8:
            time.sleep(draw.uniform(0.002, 0.015))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
            continue
        assert os.WEXITSTATUS(status) == 0
        break
    assert kills >= 3
    assert done.read_bytes() == whole[0]
    assert list(path.parent.iterdir()) == [done]


def interrupt(run, path, **kwargs):
    with pytest.raises(CutOffError):
        run(network(), checkpoint=path, until=6, **kwargs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "seed 3, now 4"),
        ({"settings": replace(SETTINGS, learning_rate=0.02)}, "learning_rate 0.01, now 0.02"),
        ({"identity": {"data": "b"}}, "data a, now b"),
        ({"name": "other"}, "network it, now other"),
        ({"steps": 21}, "now 21"),
    ],
)
def test_the_checkpoint_of_another_run_is_ignored_with_a_warning(small, run, path, caplog, change, message):
    interrupt(run, path, identity={"data": "a"})
    given = {"identity": {"data": "a"}, **change}
    fresh = network()
    run(fresh, **given)
    module = network()
    with caplog.at_level(logging.WARNING):
        run(module, **given, checkpoint=path)
    assert message in caplog.text
    assert "training starts from the beginning" in caplog.text
    assert small.weights(module) == small.weights(fresh)


def test_the_checkpoint_of_another_shape_is_ignored(small, run, path, caplog):
    interrupt(run, path)
    wider = RecurrentNetwork(RecurrentConfig(features=3, outputs=3, width=24, layers=2), nn.LSTM)
    with caplog.at_level(logging.WARNING):
        run(wider, checkpoint=path)
    assert "(16, 64)" not in caplog.text.split("now")[1]
    assert "shapes" in caplog.text


def test_the_checkpoint_interval_is_not_part_of_the_identity(run, path, caplog):
    interrupt(run, path)
    steps = []
    run(network(), replace(SETTINGS, checkpoint_s=99), checkpoint=path, progress=lambda done, _: steps.append(done))
    assert steps[0] == 7
    assert not caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"\xff" * len(content),
        lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],  # one bit of one weight
        lambda content: content.replace(b"best", b"bust", 1),
        lambda content: content.replace(b'step\\": 6', b'step\\": 7'),
        lambda _: safetensors.torch.save({"weight": torch.zeros(2)}),
        lambda _: safetensors.torch.save({"weight": torch.zeros(2)}, {"format": "another"}),
    ],
    ids=["empty", "half", "short", "long", "noise", "a bit", "a name", "a number", "no header", "another format"],
)
def test_a_damaged_file_is_refused_and_left_unchanged(run, path, damage):
    interrupt(run, path)
    whole = path.read_bytes()
    damaged = damage(whole)
    assert damaged != whole
    path.write_bytes(damaged)
    with pytest.raises(ModelError, match="Remove the file to train from the beginning") as caught:
        run(network(), checkpoint=path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == damaged


def test_a_folder_at_its_path_is_refused(run, path):
    path.mkdir()
    with pytest.raises(ModelError, match="directory"):
        run(network(), checkpoint=path)


def test_a_run_continues_without_a_checkpoint_on_a_full_disk(small, run, whole, path, caplog):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    module = network()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with caplog.at_level(logging.WARNING):
            run(module, checkpoint=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert small.weights(module) == whole[0]
    assert [record.message.count("without a checkpoint") for record in caplog.records] == [1]
    assert "File too large" in caplog.text
    assert list(path.parent.iterdir()) == []


def test_a_failed_write_keeps_the_previous_file(run, path):
    interrupt(run, path)
    before = path.read_bytes()
    checkpoint = Checkpoint(path, "it", {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        checkpoint.write(CheckpointState({"step": 1}, {"weight": torch.zeros(4096)}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_folder_of_a_checkpoint_is_created(small, run, whole, tmp_path):
    path = tmp_path / "not" / "there" / "yet"
    interrupt(run, path)
    module = network()
    run(module, checkpoint=path)
    assert small.weights(module) == whole[0]


def test_without_a_checkpoint_nothing_is_written(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(network())
    assert list(tmp_path.iterdir()) == []
