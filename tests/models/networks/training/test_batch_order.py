import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.models.networks.training.batch_order import BatchOrder


@settings(max_examples=100)
@given(st.integers(1, 60), st.integers(1, 70), st.floats(0.01, 1), st.integers(0, 99))
def test_every_pass_visits_every_row_once(rows, batch, share, seed):
    order = BatchOrder(rows, batch, share, seed)
    assert 1 <= order.epoch_rows <= rows
    visited = []
    for step in range(3 * (rows // order.epoch_rows + 1) * order.epoch_steps):
        rows_of_step = order.rows(step)
        assert 1 <= len(rows_of_step) <= batch
        visited.extend(rows_of_step.tolist())
    for first in range(0, len(visited) - rows + 1, rows):
        assert sorted(visited[first : first + rows]) == list(range(rows))


def test_an_epoch_has_its_share_of_the_rows_with_a_smaller_last_batch():
    order = BatchOrder(rows=1000, batch=64, share=0.25, seed=3)
    sizes = [len(order.rows(step)) for step in range(order.epoch_steps)]
    assert sizes == [64, 64, 64, 58]


@given(st.integers(0, 200))
def test_the_rows_of_a_step_do_not_depend_on_earlier_calls(step):
    used, fresh = BatchOrder(100, 7, 0.3, 1), BatchOrder(100, 7, 0.3, 1)
    for earlier in (step + 30, 0, max(0, step - 1)):
        used.rows(earlier)
    np.testing.assert_array_equal(used.rows(step), fresh.rows(step))


def test_passes_and_seeds_differ():
    first, other = BatchOrder(100, 100, 1, 1), BatchOrder(100, 100, 1, 2)
    assert not np.array_equal(first.rows(0), first.rows(1))
    assert not np.array_equal(first.rows(0), other.rows(0))
