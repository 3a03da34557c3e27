"""Order ids: the same decision twice is the same order, two decisions never are."""

from hypothesis import given
from hypothesis import strategies as st

from quorate.trading.journal import order_id

NAME = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))
PARTS = st.tuples(NAME, NAME, st.integers(), st.sampled_from([-1, 1]))


@given(PARTS, PARTS)
def test_ids_are_equal_where_the_decisions_are(left, right):
    assert (order_id(*left) == order_id(*right)) == (left == right)
    assert len(order_id(*left)) == 24
    assert int(order_id(*left), 16) >= 0
