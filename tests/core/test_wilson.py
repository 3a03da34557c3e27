import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quorate.core.errors import QuorateError
from quorate.core.wilson import wilson


@settings(max_examples=80)
@given(st.data(), st.integers(1, 5_000), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(data: st.DataObject, n: int, confidence: float) -> None:
    wins = data.draw(st.integers(0, n))
    expected = stats.binomtest(wins, n).proportion_ci(confidence, method="wilson")
    interval = wilson(wins, n, confidence)
    assert interval is not None
    assert interval == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= interval[0] <= wins / n <= interval[1] <= 1


def test_wilson_of_nothing_is_unknown_and_nonsense_is_refused() -> None:
    assert wilson(0, 0) is None
    with pytest.raises(QuorateError, match="3 of 2"):
        wilson(3, 2)
