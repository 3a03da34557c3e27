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
    """The same matrix from the function that the authors' code interpolates by."""
    unit = torch.eye(knots, dtype=torch.float64)
    if kind == "cubic":
        return functional.interpolate(unit[:, None, None, :], size=(1, length), mode="bicubic")[:, 0, 0].numpy()
    return functional.interpolate(unit[:, None], size=length, mode=kind)[:, 0].numpy()


@given(SIZES, KINDS)
def test_it_is_torchs_interpolation(sizes, kind):
    np.testing.assert_allclose(interpolation_matrix(*sizes, kind), by_torch(*sizes, kind), rtol=0, atol=1e-12)


@given(SIZES, KINDS)
def test_what_is_level_stays_level(sizes, kind):
    np.testing.assert_allclose(interpolation_matrix(*sizes, kind).sum(axis=0), 1, atol=1e-12)


@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic"])
def test_as_many_knots_as_places_change_nothing(kind):
    np.testing.assert_array_equal(interpolation_matrix(7, 7, kind), np.eye(7))


@pytest.mark.parametrize(
    ("kind", "first_knot"),
    [
        ("nearest", [1, 1, 1, 0, 0, 0]),
        # The knots stand at 1 and 4, in the middle of places 0 to 2 and 3 to 5.
        ("linear", [1, 1, 2 / 3, 1 / 3, 0, 0]),
        # Keys' kernel is -1/9 at 4/3 of a knot's distance and 43/54 at 1/3; beyond an end its knot is held.
        ("cubic", [1 + 1 / 9, 1, 43 / 54 - 1 / 9, 1 - 43 / 54 + 1 / 9, 0, -1 / 9]),
    ],
)
def test_by_hand(kind, first_knot):
    found = interpolation_matrix(2, 6, kind)
    np.testing.assert_allclose(found, [first_knot, 1 - np.array(first_knot)], atol=1e-12)


@pytest.mark.parametrize(("knots", "length"), [(0, 5), (6, 5), (1, 0)])
def test_what_cannot_be_interpolated_is_refused(knots, length):
    with pytest.raises(ModelError, match=f"found {knots} knots for {length} places"):
        interpolation_matrix(knots, length, "linear")
