"""Distributed training: two processes started by torchrun against one."""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch

from quorate.core.settings import NetworkSettings
from quorate.models.networks.training import TrainingOptions, cross_entropy, fit_network
from quorate.models.networks.training.processes import Processes

SCRIPT = """
import json, os, sys
from dataclasses import asdict
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import torch

specification = spec_from_file_location("small", sys.argv[1])
small = module_from_spec(specification)
specification.loader.exec_module(small)
from quorate.core.settings import NetworkSettings
from quorate.models.networks.training import TrainingOptions, cross_entropy, fit_network

torch.distributed.init_process_group("gloo")
rank, folder = torch.distributed.get_rank(), Path(sys.argv[2])


class CutOffError(Exception):
    pass


def run(checkpoint=None, until=None):
    steps = []

    def progress(done, total):
        steps.append(done)
        if done == until:
            raise CutOffError

    # Different initial weights: those of rank 0 are used.
    module = small.perceptron(dropout=0.0, seed=rank)
    settings = NetworkSettings(**json.loads(sys.argv[3]))
    options = TrainingOptions(settings, name="it", seed=3, threads=1, progress=progress, checkpoint=checkpoint)
    examples = small.examples(301, weight=small.linear_weights(301))
    history = fit_network(module, examples, small.examples(61, 1), cross_entropy, options)
    return module, history, steps


module, history, steps = run()
try:
    # Interrupted after the last step, when the second process has ended and does not wait for the first.
    run(folder / "checkpoint", until=122)
except CutOffError:
    assert rank == 0
assert (folder / "checkpoint").exists()
torch.distributed.barrier()
again, _, resumed_steps = run(folder / "checkpoint")
(folder / f"{rank}.weights").write_bytes(small.weights(module) + small.weights(again))
(folder / f"{rank}.json").write_text(json.dumps([asdict(history), len(steps), len(resumed_steps)]))
torch.distributed.destroy_process_group()
# On a busy machine torch's threads may outlive the interpreter, which then aborts. All results are written.
os._exit(0)
"""


@pytest.fixture
def settings():
    # With a batch of 5 one process has more rows than the other, and 301 rows have a last batch of one row.
    return NetworkSettings(epochs=2, batch=5, learning_rate=0.01, bf16=False)


def test_two_processes_train_to_the_weights_of_one(small, settings, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = [str(small.file), str(tmp_path), json.dumps(asdict(settings))]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(tmp_path / "script.py"), *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    module = small.perceptron(dropout=0.0, seed=0)
    examples = small.examples(301, weight=small.linear_weights(301))
    options = TrainingOptions(settings, name="it", seed=3, threads=1)
    alone = fit_network(module, examples, small.examples(61, 1), cross_entropy, options)
    (first, steps, resumed_steps), (second, second_steps, _) = (
        json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)
    )
    assert first["steps"] == alone.steps == 122
    np.testing.assert_allclose(first["losses"], alone.losses, rtol=1e-4)
    np.testing.assert_allclose(first["validation_losses"], alone.validation_losses, rtol=1e-4)
    assert (first["losses"], first["validation_losses"], first["best"]) == (
        second["losses"],
        second["validation_losses"],
        second["best"],
    )
    # Only rank 0 reports, and both end with the same weights: those of one process, up to rounding.
    assert (steps, resumed_steps, second_steps) == (122, 0, 0)
    found = [(tmp_path / f"{rank}.weights").read_bytes() for rank in (0, 1)]
    assert found[0] == found[1]
    values = np.frombuffer(found[0], np.float32).reshape(2, -1)
    np.testing.assert_array_equal(values[0], values[1])
    expected = np.frombuffer(small.weights(module), np.float32)
    np.testing.assert_allclose(values[0], expected, rtol=1e-2, atol=1e-3)
    assert not (tmp_path / "checkpoint").exists()


def test_a_single_process_is_the_main_one_with_all_rows():
    alone = Processes(torch.device("cpu"))
    module = torch.nn.Linear(1, 1)
    assert alone.is_main
    assert alone.wrap(module) is module
    rows, factor = alone.shard(np.arange(5))
    assert (rows.tolist(), factor) == ([0, 1, 2, 3, 4], 1)
    assert alone.sums(1.5, 2) == [1.5, 2]
    assert alone.broadcast(b"it") == b"it"


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_average_over_the_processes_is_the_mean_over_the_rows(rows, count):
    """With each process's mean multiplied by its factor."""
    values, parts = np.random.default_rng(1).normal(size=rows), []
    for rank in range(count):
        process = Processes(torch.device("cpu"))
        process.rank, process.count = rank, count
        own, factor = process.shard(np.arange(rows))
        parts.append(values[own].mean() * factor)
    assert np.mean(parts) == pytest.approx(values.mean())
