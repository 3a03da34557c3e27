"""The contract of columns of your own, as another package runs it."""

import numpy as np
import pytest

import quorate
from quorate.core.errors import ContractError
from quorate.testing import feature_checks


@quorate.feature(warmup=1)
def opening_gap(bars):
    return bars.open[1:] / bars.close[:-1] - 1


@quorate.feature(warmup=0)
def next_change(bars):
    """Reads the close of the next bar."""
    return np.append(bars.close[1:] / bars.close[:-1] - 1, 0)


@quorate.feature(warmup=3)
def short_warmup(bars):
    """Depends on ten bars and declares three."""
    means = [bars.close[max(0, row - 9) : row + 1].mean() for row in range(len(bars))]
    return bars.close / np.array(means) - 1


@pytest.mark.parametrize("check", feature_checks(opening_gap), ids=str)
def test_a_causal_column_meets_the_contract(check):
    check()


@pytest.mark.parametrize(("column", "words"), [(next_change, "truncation"), (short_warmup, "newest rows")])
def test_a_column_that_breaks_the_contract_is_caught(column, words):
    (check,) = feature_checks(column)
    assert str(check) == f"{column.name}-passes_every_column_check"
    with pytest.raises(ContractError, match=words):
        check()
