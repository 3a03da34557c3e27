"""Contributions of groups of columns: brute force on a small function, and integrated gradients on networks."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from quorate.evaluation.feature_groups import FeatureGroup, feature_groups
from quorate.features import feature_set
from quorate.lifecycle.explain.attribution import Attribution, coalition_values, hybrid_inputs, weighted_mean
from quorate.lifecycle.explain.background import draw_background
from quorate.models.networks.onnx_export import to_graph
from quorate.models.runtime import OnnxSession

GROUPS = (
    FeatureGroup("a", ("a1", "a2"), (0, 3)),
    FeatureGroup("b", ("b1",), (1,)),
    FeatureGroup("c", ("c1", "c2"), (2, 4)),
)
WINDOW, COLUMNS = 6, 5


def attribution(run, row, background, groups=GROUPS):
    outputs = run(hybrid_inputs(row, background, groups))
    score = run(row[None])[0]
    return Attribution.of(coalition_values(outputs, score, len(background)).mean(axis=1))


def by_orders(run, row, background, groups=GROUPS):
    """Groups replaced one after the other in every order, row of the background by row."""
    found = np.zeros((len(groups), run(row[None]).shape[1]))
    orders = list(permutations(range(len(groups))))
    for other in background:
        for order in orders:
            mixed = other.copy()
            before = run(mixed[None])[0]
            for number in order:
                mixed[..., groups[number].places] = row[..., groups[number].places]
                after = run(mixed[None])[0]
                found[number] += after - before
                before = after
    return found / len(orders) / len(background)


def small_function(X):
    """Of single rows: with a product across groups, one within a group, and an absolute value."""
    X = X.astype(np.float64)
    first = X[:, 0] * X[:, 1] + X[:, 2] * X[:, 4]
    return np.stack([first, np.abs(X[:, 3] - X[:, 1]), X[:, 2] ** 2], axis=1)


def test_contributions_are_those_of_brute_force():
    random = np.random.default_rng(2)
    row, background = (random.normal(size=shape).astype(np.float32) for shape in (COLUMNS, (4, COLUMNS)))
    found = attribution(small_function, row, background)
    np.testing.assert_allclose(found.contributions, by_orders(small_function, row, background), atol=1e-12)
    np.testing.assert_allclose(found.base, small_function(background).mean(axis=0))
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=0), found.score, atol=1e-12)


def test_of_a_window_all_bars_of_a_group_are_replaced_together():
    def run(X):
        return np.stack([(X[:, 0, 0] * X[:, -1, 1]), X[:, :, 2].sum(axis=1)], axis=1).astype(np.float64)

    random = np.random.default_rng(3)
    row = random.normal(size=(WINDOW, COLUMNS)).astype(np.float32)
    background = random.normal(size=(3, WINDOW, COLUMNS)).astype(np.float32)
    found = attribution(run, row, background)
    np.testing.assert_allclose(found.contributions, by_orders(run, row, background), atol=1e-6)
    assert found.contributions[0, 1] == pytest.approx(0, abs=1e-6)  # group a is not read by the second output
    mixed = hybrid_inputs(row, background, GROUPS).reshape(7, 3, WINDOW, COLUMNS)
    np.testing.assert_array_equal(mixed[0], background)
    np.testing.assert_array_equal(mixed[2, 1][:, 1], row[:, 1])
    np.testing.assert_array_equal(mixed[2, 1][:, [0, 2, 3, 4]], background[1][:, [0, 2, 3, 4]])


class Additive(nn.Module):
    """A network that is linear in its groups: a sum of one small network for each."""

    def __init__(self, hidden=8):
        super().__init__()
        self.parts = nn.ModuleList(
            nn.Sequential(nn.Linear(WINDOW * len(group.places), hidden), nn.Tanh(), nn.Linear(hidden, 3))
            for group in GROUPS
        )

    def forward(self, X):
        return sum(part(X[:, :, list(group.places)].flatten(1)) for part, group in zip(self.parts, GROUPS, strict=True))


def integrated_gradients(module, row, other, steps=400):
    """(k, C) of each group: the gradient along the straight line from the other input, times the way."""
    start, way = torch.tensor(other, dtype=torch.float64), torch.tensor(row - other, dtype=torch.float64)
    along = start + (torch.arange(steps, dtype=torch.float64)[:, None, None] + 0.5) / steps * way
    along.requires_grad_()
    found = []
    for output in module(along).unbind(1):
        (gradient,) = torch.autograd.grad(output.sum(), along, retain_graph=True)
        shares = (gradient.mean(dim=0) * way).numpy()
        found.append([shares[:, list(group.places)].sum() for group in GROUPS])
    return np.array(found).T


def test_of_a_network_that_is_linear_in_its_groups_contributions_are_integrated_gradients():
    torch.manual_seed(4)
    module = Additive().eval()
    session = OnnxSession(to_graph(module, WINDOW, COLUMNS, 64, "additive"), COLUMNS, "additive")
    random = np.random.default_rng(4)
    row = random.normal(size=(WINDOW, COLUMNS)).astype(np.float32)
    background = random.normal(size=(5, WINDOW, COLUMNS)).astype(np.float32)
    found = attribution(session.run, row, background)
    oracle = np.mean([integrated_gradients(module.double(), row, other) for other in background], axis=0)
    np.testing.assert_allclose(found.contributions, oracle, atol=2e-5)
    assert np.abs(found.contributions).max() > 0.1


def test_the_ensemble_is_the_mean_with_the_weights_of_those_that_voted():
    tables = {"one": np.full((4, 1, 3), 0.2), "two": np.full((4, 1, 3), 0.6)}
    np.testing.assert_allclose(weighted_mean(tables, {"one": 0.25, "two": 0.75, "three": 9.0}), 0.5)


@pytest.mark.parametrize("name", ["core14", "core30", "full65", "extended"])
def test_groups_share_all_columns_of_a_set(name):
    names = feature_set(name).names
    groups = feature_groups(names)
    assert sorted(place for group in groups for place in group.places) == list(range(len(names)))
    assert [group.columns for group in groups] == [tuple(names[place] for place in group.places) for group in groups]
    assert len(groups) <= 10


def test_the_default_features_have_six_groups_and_columns_of_a_users_own_are_one():
    assert len(feature_groups(feature_set("core30").names)) == 6
    assert [group.name for group in feature_groups(("mine", "rsi_14", "btc_change_4"))] == [
        "technical",
        "context",
        "own",
    ]


def test_the_background_is_earlier_bars_spread_over_all_hours():
    usable = np.ones(300, np.bool_)
    usable[:50] = False
    rows = draw_background(usable, 24)
    assert 20 <= len(rows) <= 24
    assert rows.min() >= 50
    assert rows.max() < 299
    assert len(np.unique(rows % 24)) >= 14  # a regular grid would fall on few hours of the day
    assert np.diff(rows).max() < 25
    np.testing.assert_array_equal(draw_background(usable, 24), rows)
    np.testing.assert_array_equal(draw_background(usable[-3:], 24), [0, 1])
    assert len(draw_background(np.array([False, True]), 24)) == 0
