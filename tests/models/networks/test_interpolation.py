import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from quorate.core.errors import ModelError
from quorate.models.networks.interpolation import interpolation_matrix

SIZES = st.integers(1, 200).flatmap(lambda length: st.tuples(st.integers(1, length), st.just(length)))
KINDS = st.sampled_from(("nearest", "linear", "cubic"))


def by_torch(knots, length, kind):
    """The same matrix by the torch function of the authors' code."""
    unit = torch.eye(knots, dtype=torch.float64)
    if kind == "cubic":
        return functional.interpolate(unit[:, None, None, :], size=(1, length), mode="bicubic")[:, 0, 0].numpy()
    return functional.interpolate(unit[:, None], size=length, mode=kind)[:, 0].numpy()


@given(SIZES, KINDS)
def test_the_matrix_equals_torchs_interpolation(sizes, kind):
    np.testing.assert_allclose(interpolation_matrix(*sizes, kind), by_torch(*sizes, kind), rtol=0, atol=1e-12)


@given(SIZES, KINDS)
def test_constants_stay_constant(sizes, kind):
    np.testing.assert_allclose(interpolation_matrix(*sizes, kind).sum(axis=0), 1, atol=1e-12)


@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic"])
def test_as_many_knots_as_positions_are_the_identity(kind):
    np.testing.assert_array_equal(interpolation_matrix(7, 7, kind), np.eye(7))


@pytest.mark.parametrize(
    ("kind", "first_knot"),
    [
        ("nearest", [1, 1, 1, 0, 0, 0]),
        # The knots are at 1 and 4, the centres of positions 0 to 2 and 3 to 5.
        ("linear", [1, 1, 2 / 3, 1 / 3, 0, 0]),
        # Keys' kernel is -1/9 at a distance of 4/3 knots and 43/54 at 1/3; positions beyond an end use the end's knot.
        ("cubic", [1 + 1 / 9, 1, 43 / 54 - 1 / 9, 1 - 43 / 54 + 1 / 9, 0, -1 / 9]),
    ],
)
def test_weights_of_two_knots_calculated_by_hand(kind, first_knot):
    found = interpolation_matrix(2, 6, kind)
    np.testing.assert_allclose(found, [first_knot, 1 - np.array(first_knot)], atol=1e-12)


@pytest.mark.parametrize(("knots", "length"), [(0, 5), (6, 5), (1, 0)])
def test_invalid_numbers_of_knots_are_refused(knots, length):
    with pytest.raises(ModelError, match=f"found {knots} knots for {length} positions"):
        interpolation_matrix(knots, length, "linear")
