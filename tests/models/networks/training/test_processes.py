"""Two processes, started as a user would start them, against one."""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch

from quorate.core.settings import NetworkSettings
from quorate.models.networks.training.fit import fit
from quorate.models.networks.training.losses import cross_entropy
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
from quorate.models.networks.training.fit import fit
from quorate.models.networks.training.losses import cross_entropy

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

    # Modules that start differently: what rank 0 has is what counts.
    module = small.perceptron(dropout=0.0, seed=rank)
    history = fit(
        module, small.examples(301, weight=small.light(301)), small.examples(61, 1), cross_entropy,
        NetworkSettings(**json.loads(sys.argv[3])), name="it", seed=3, threads=1, progress=progress,
        checkpoint=checkpoint,
    )
    return module, history, steps


module, history, steps = run()
try:
    # Cut off after the last step: the second process has ended by then and does not wait for the first.
    run(folder / "checkpoint", until=122)
except CutOffError:
    assert rank == 0
assert (folder / "checkpoint").exists()
torch.distributed.barrier()
again, _, later_steps = run(folder / "checkpoint")
(folder / f"{rank}.weights").write_bytes(small.weights(module) + small.weights(again))
(folder / f"{rank}.json").write_text(json.dumps([asdict(history), len(steps), len(later_steps)]))
torch.distributed.destroy_process_group()
# On a busy machine threads of torch's may outlive the interpreter, which then aborts. All that is asked for is written.
os._exit(0)
"""


@pytest.fixture
def settings():
    # A batch of 5 leaves one process more rows than the other, and 301 rows leave a last batch of one row.
    return NetworkSettings(epochs=2, batch=5, learning_rate=0.01, bf16=False)


def test_two_processes_learn_what_one_does(small, settings, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = [str(small.file), str(tmp_path), json.dumps(asdict(settings))]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(tmp_path / "script.py"), *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    module = small.perceptron(dropout=0.0, seed=0)
    alone = fit(
        module, small.examples(301, weight=small.light(301)), small.examples(61, 1), cross_entropy, settings,
        name="it", seed=3, threads=1,
    )  # fmt: skip
    (one, told, told_again), (other, silent, _) = (
        json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)
    )
    assert one["steps"] == alone.steps == 122
    np.testing.assert_allclose(one["losses"], alone.losses, rtol=1e-4)
    np.testing.assert_allclose(one["later"], alone.later, rtol=1e-4)
    assert (one["losses"], one["later"], one["best"]) == (other["losses"], other["later"], other["best"])
    # Rank 0 alone reports, and both end with the same weights: those of one process, but for rounding.
    assert (told, told_again, silent) == (122, 0, 0)
    found = [(tmp_path / f"{rank}.weights").read_bytes() for rank in (0, 1)]
    assert found[0] == found[1]
    values = np.frombuffer(found[0], np.float32).reshape(2, -1)
    np.testing.assert_array_equal(values[0], values[1])
    expected = np.frombuffer(small.weights(module), np.float32)
    np.testing.assert_allclose(values[0], expected, rtol=1e-2, atol=1e-3)
    assert not (tmp_path / "checkpoint").exists()


def test_one_process_alone_has_everything():
    alone = Processes(torch.device("cpu"))
    module = torch.nn.Linear(1, 1)
    assert alone.leads
    assert alone.wrap(module) is module
    rows, counts = alone.part(np.arange(5))
    assert (rows.tolist(), counts) == ([0, 1, 2, 3, 4], 1)
    assert alone.total(1.5, 2) == [1.5, 2]
    assert alone.share(b"it") == b"it"


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_averaged_over_the_processes_each_row_counts_the_same(rows, count):
    """The average over processes of (mean of own rows x what it counts) is the mean over all rows."""
    values, parts = np.random.default_rng(1).normal(size=rows), []
    for rank in range(count):
        one = Processes(torch.device("cpu"))
        one.rank, one.count = rank, count
        mine, counts = one.part(np.arange(rows))
        parts.append(values[mine].mean() * counts)
    assert np.mean(parts) == pytest.approx(values.mean())
