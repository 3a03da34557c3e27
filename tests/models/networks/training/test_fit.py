"""The loop: what it learns, when it stops, what it refuses, and that it is the same every time."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.models.networks.training.fit import fit
from quorate.models.networks.training.losses import cross_entropy, squared_error

SETTINGS = NetworkSettings(epochs=6, batch=32, learning_rate=0.01)


@pytest.fixture
def run(small):
    def run(module, settings=SETTINGS, *, rows=300, later=None, loss=cross_entropy, seed=3, **kwargs):
        given = kwargs.pop("examples", small.examples(rows))
        return fit(module, given, later, loss, settings, name="it", seed=seed, threads=1, **kwargs)

    return run


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_it_learns(small, run, bf16, optimizer):
    settings = replace(SETTINGS, bf16=bf16, optimizer=optimizer)
    history = run(small.perceptron(), settings, rows=1000, later=small.examples(200, 1))
    assert history.later[-1] < 0.6 < 0.9 < history.losses[0]
    assert (history.steps, history.epochs, history.stopped) == (192, 6, "end")
    assert bf16 or history.precision == "float32"


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(small, run, share):
    found = []
    for seed in (1, 1, 2):
        module = small.perceptron()
        run(module, replace(SETTINGS, share=share), later=small.examples(50, 1), seed=seed)
        found.append(small.weights(module))
    assert found[0] == found[1] != found[2]


def test_the_callers_random_numbers_and_threads_are_left_alone(small, run):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    fit(small.perceptron(), small.examples(50), None, cross_entropy, SETTINGS, name="it", seed=1, threads=threads + 1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_one_step_is_adams_worked_by_hand(run):
    """A single weight 0 with inputs 2 and target 3: gradient 2 (0 - 3) 2 = -12, clipped to -1; Adam's first step is
    the learning rate times the gradient's sign, and a decay of 0.5 of a weight of 0 takes nothing away."""

    class One:
        def __len__(self):
            return 4

        def batch(self, rows):
            return torch.full((len(rows), 1), 2.0), torch.full((len(rows), 1), 3.0), None

    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    settings = NetworkSettings(
        epochs=1, batch=4, learning_rate=0.1, weight_decay=0.5, schedule="constant", bf16=False
    )  # fmt: skip
    history = run(module, settings, examples=One(), loss=squared_error)
    assert float(module.weight.detach()) == pytest.approx(0.1, rel=1e-5)
    assert history.losses == (9.0,)
    # The second: moments of 1 and 1 once more, the weight decayed by 0.1 x 0.5 of itself first.
    run(module, settings, examples=One(), loss=squared_error)
    assert float(module.weight.detach()) == pytest.approx(0.1 * 0.95 + 0.1, rel=1e-5)


def test_biases_do_not_decay(small, run):
    """Without a gradient, AdamW moves what decays and nothing else."""
    module = small.perceptron()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    run(module, replace(SETTINGS, weight_decay=0.5), loss=lambda output, *_: 0 * output.sum())
    for name, tensor in module.state_dict().items():
        shrunk = bool((tensor.abs() < before[name].abs()).any())
        assert shrunk == name.endswith("weight"), name


def test_it_stops_when_patience_ends_and_keeps_the_best(small, run):
    """Validation rows whose classes are turned round: the more it learns, the worse they are."""
    later = small.examples(100, 1)
    later._target = 2 - later._target
    module = small.perceptron()
    kept = []
    history = run(
        module,
        replace(SETTINGS, epochs=50, patience=3, schedule="constant"),
        later=later,
        progress=lambda done, total: kept.append((done, total)),
    )
    assert history.stopped == "patience"
    assert len(history.later) == history.best + 1 + 3
    assert history.later[history.best] == min(history.later)
    assert kept[-1] == (history.steps, history.steps)
    assert kept[0] == (1, 500)
    with torch.no_grad():
        inputs, target, _ = later.batch(np.arange(100))
        found = cross_entropy(module(inputs), target, None)
    assert float(found) == pytest.approx(history.later[history.best], rel=0.02)


def test_without_later_rows_the_last_weights_are_kept(small, run):
    history = run(small.perceptron())
    assert (history.later, history.best, history.stopped) == ((), 5, "end")


def test_steps_and_rounds_may_be_counted_instead_of_epochs(small, run):
    asked = []

    def schedule(step, epoch_steps, steps):
        asked.append((step, epoch_steps, steps))
        return 1.0

    history = run(small.perceptron(), steps=25, every=10, schedule=schedule, later=small.examples(40, 1))
    assert asked == [(step, 10, 25) for step in range(25)]
    assert len(history.later) == len(history.losses) == 3
    assert (history.steps, history.epochs) == (25, 2.5)


def test_weights_count(small, run):
    """Rows of weight 0 might as well not be there."""
    found = []
    for flipped in (False, True):
        given = small.examples(300, weight=np.r_[np.ones(150), np.zeros(150)])
        if flipped:
            given._target[150:] = 2 - given._target[150:]
        module = small.perceptron()
        run(module, examples=given)
        found.append(small.weights(module))
    assert found[0] == found[1]


def test_the_module_is_left_in_evaluation_mode(small, run):
    module = small.perceptron()
    run(module)
    assert not module.training


class Exploding(nn.Module):
    """Divides by nothing once its weight has moved far enough."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return x[:, -1] * self.weight / (self.weight.abs() < 0.035)


def test_divergence_stops_with_its_cause(run):
    with pytest.raises(ModelError) as caught:
        run(Exploding(), replace(SETTINGS, schedule="constant", bf16=False))
    for word in ("fit it", "loss of", "at step 5 of 60", "learning rate 0.01", "Lower its learning_rate (0.01)"):
        assert word in str(caught.value)


def test_a_validation_that_is_no_number_stops_it(small, run):
    later = small.examples(20, 1, "return")
    later._target[3] = math.inf
    with pytest.raises(ModelError, match="validation loss of inf after step 10 of 60"):
        run(small.perceptron(1), loss=squared_error, examples=small.examples(300, 0, "return"), later=later)


@pytest.mark.parametrize("which", ["examples", "later"])
def test_nothing_to_learn_from_is_refused(small, run, which):
    with pytest.raises(ModelError, match="no examples"):
        run(small.perceptron(), **{which: small.examples(0)})


class Recomputing(nn.Module):
    recompute = False

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.calls = 0

    def forward(self, x):
        def step(x):
            self.calls += 1
            return self.inner(x)

        if self.recompute and self.training:
            return torch.utils.checkpoint.checkpoint(step, x, use_reentrant=False)
        return step(x)


def test_recomputation_costs_a_second_forward_pass_and_changes_nothing(small, run):
    found, calls = [], []
    for recompute in (False, True):
        module = Recomputing(small.perceptron())
        run(module, replace(SETTINGS, recompute=recompute))
        found.append(small.weights(module))
        calls.append(module.calls)
    assert found[0] == found[1]
    assert calls == [60, 120]


def test_recomputation_is_refused_by_a_network_that_has_none(small, run):
    with pytest.raises(ModelError, match="recompute"):
        run(small.perceptron(), replace(SETTINGS, recompute=True))
