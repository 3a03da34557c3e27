"""The training loop: convergence, early stopping, errors and reproducibility."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.models.networks.training import TrainingOptions, cross_entropy, fit_network, squared_error

SETTINGS = NetworkSettings(epochs=6, batch=32, learning_rate=0.01)


@pytest.fixture
def run(small):
    def run(module, settings=SETTINGS, *, rows=300, stopping=None, loss=cross_entropy, seed=3, **kwargs):
        examples = kwargs.pop("examples", small.examples(rows))
        options = TrainingOptions(settings, name="it", seed=seed, threads=1, **kwargs)
        return fit_network(module, examples, stopping, loss, options)

    return run


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_the_loss_falls(small, run, bf16, optimizer):
    settings = replace(SETTINGS, bf16=bf16, optimizer=optimizer)
    history = run(small.perceptron(), settings, rows=1000, stopping=small.examples(200, 1))
    assert history.validation_losses[-1] < 0.6 < 0.9 < history.losses[0]
    assert (history.steps, history.epochs, history.stopped) == (192, 6, "end")
    assert bf16 or history.precision == "float32"


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_the_weights_depend_on_the_seed_only(small, run, share):
    found = []
    for seed in (1, 1, 2):
        module = small.perceptron()
        run(module, replace(SETTINGS, share=share), stopping=small.examples(50, 1), seed=seed)
        found.append(small.weights(module))
    assert found[0] == found[1] != found[2]


def test_the_callers_random_state_and_threads_are_restored(small, run):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    options = TrainingOptions(SETTINGS, name="it", seed=1, threads=threads + 1)
    fit_network(small.perceptron(), small.examples(50), None, cross_entropy, options)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_steps_of_adamw_calculated_by_hand(run):
    """A single weight 0 with inputs 2 and target 3: gradient 2 (0 - 3) 2 = -12, clipped to -1; Adam's first step is
    the learning rate times the sign of the gradient, and the decay of a weight of 0 is 0."""

    class ConstantExamples:
        def __len__(self):
            return 4

        def batch(self, rows):
            return torch.full((len(rows), 1), 2.0), torch.full((len(rows), 1), 3.0), None

    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    settings = NetworkSettings(
        epochs=1, batch=4, learning_rate=0.1, weight_decay=0.5, schedule="constant", bf16=False
    )  # fmt: skip
    history = run(module, settings, examples=ConstantExamples(), loss=squared_error)
    assert float(module.weight.detach()) == pytest.approx(0.1, rel=1e-5)
    assert history.losses == (9.0,)
    # A second run: the same step after a decay of the weight by 0.1 x 0.5.
    run(module, settings, examples=ConstantExamples(), loss=squared_error)
    assert float(module.weight.detach()) == pytest.approx(0.1 * 0.95 + 0.1, rel=1e-5)


def test_biases_do_not_decay(small, run):
    """Without a gradient, AdamW changes only parameters with weight decay."""
    module = small.perceptron()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    run(module, replace(SETTINGS, weight_decay=0.5), loss=lambda output, *_: 0 * output.sum())
    for name, tensor in module.state_dict().items():
        shrunk = bool((tensor.abs() < before[name].abs()).any())
        assert shrunk == name.endswith("weight"), name


def test_early_stopping_keeps_the_best_weights(small, run):
    """Stopping rows with reversed classes: their loss rises in training."""
    stopping = small.examples(100, 1)
    stopping._target = 2 - stopping._target
    module = small.perceptron()
    steps = []
    history = run(
        module,
        replace(SETTINGS, epochs=50, patience=3, schedule="constant"),
        stopping=stopping,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert history.stopped == "patience"
    assert len(history.validation_losses) == history.best + 1 + 3
    assert history.validation_losses[history.best] == min(history.validation_losses)
    assert steps[-1] == (history.steps, history.steps)
    assert steps[0] == (1, 500)
    with torch.no_grad():
        inputs, target, _ = stopping.batch(np.arange(100))
        found = cross_entropy(module(inputs), target, None)
    assert float(found) == pytest.approx(history.validation_losses[history.best], rel=0.02)


def test_without_stopping_rows_the_last_weights_are_kept(small, run):
    history = run(small.perceptron())
    assert (history.validation_losses, history.best, history.stopped) == ((), 5, "end")


def test_steps_and_validation_interval_replace_epochs(small, run):
    calls = []

    def schedule(step, epoch_steps, steps):
        calls.append((step, epoch_steps, steps))
        return 1.0

    history = run(small.perceptron(), steps=25, validate_every=10, schedule=schedule, stopping=small.examples(40, 1))
    assert calls == [(step, 10, 25) for step in range(25)]
    assert len(history.validation_losses) == len(history.losses) == 3
    assert (history.steps, history.epochs) == (25, 2.5)


def test_rows_of_weight_zero_have_no_effect(small, run):
    found = []
    for flipped in (False, True):
        examples = small.examples(300, weight=np.r_[np.ones(150), np.zeros(150)])
        if flipped:
            examples._target[150:] = 2 - examples._target[150:]
        module = small.perceptron()
        run(module, examples=examples)
        found.append(small.weights(module))
    assert found[0] == found[1]


def test_the_module_is_left_in_evaluation_mode(small, run):
    module = small.perceptron()
    run(module)
    assert not module.training


class Diverging(nn.Module):
    """Divides by 0 once its weight is large enough."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return x[:, -1] * self.weight / (self.weight.abs() < 0.035)


def test_a_diverging_training_is_an_error_with_step_and_learning_rate(run):
    with pytest.raises(ModelError) as caught:
        run(Diverging(), replace(SETTINGS, schedule="constant", bf16=False))
    for word in ("fit it", "loss of", "at step 5 of 60", "learning rate 0.01", "Lower its learning_rate (0.01)"):
        assert word in str(caught.value)


def test_an_infinite_validation_loss_is_an_error(small, run):
    stopping = small.examples(20, 1, "return")
    stopping._target[3] = math.inf
    with pytest.raises(ModelError, match="validation loss of inf after step 10 of 60"):
        run(small.perceptron(1), loss=squared_error, examples=small.examples(300, 0, "return"), stopping=stopping)


@pytest.mark.parametrize("which", ["examples", "stopping"])
def test_no_examples_are_an_error(small, run, which):
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


def test_recomputation_runs_a_second_forward_pass_with_the_same_weights(small, run):
    found, calls = [], []
    for recompute in (False, True):
        module = Recomputing(small.perceptron())
        run(module, replace(SETTINGS, recompute=recompute))
        found.append(small.weights(module))
        calls.append(module.calls)
    assert found[0] == found[1]
    assert calls == [60, 120]


def test_recomputation_is_refused_by_a_network_without_it(small, run):
    with pytest.raises(ModelError, match="recompute"):
        run(small.perceptron(), replace(SETTINGS, recompute=True))
