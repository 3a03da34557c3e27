"""What Freqtrade's trades hold and what the account is worth, by hand."""

from types import SimpleNamespace

import pytest

from quorate.integrations.freqtrade.book.holdings import account_equity, held_quantities

WALLETS = SimpleNamespace(get_total_stake_amount=lambda: 990.0)


def order(side, funding=0.0, *, filled=1.0, ft_is_open=False):
    return SimpleNamespace(ft_order_side=side, filled=filled, ft_is_open=ft_is_open, funding_fee=funding)


def trade(pair, amount, stake, leverage, *, short=False, funding=0.0, orders=()):
    return SimpleNamespace(
        pair=pair, amount=amount, stake_amount=stake, leverage=leverage, is_short=short, fee_open=0.001,
        funding_fees=funding, orders=list(orders), exit_side="buy" if short else "sell",
    )  # fmt: skip


LONG = trade("A/USDT:USDT", 10.0, 50.0, 2.0, funding=-3.0, orders=[order("buy", -1.0), order("sell", -0.5)])
SHORT = trade("B/USDT:USDT", 4.0, 20.0, 1.0, short=True)
CLOSES = {"A/USDT:USDT": 11.0, "B/USDT:USDT": 6.0}


def test_quantities_have_the_sign_of_their_side():
    assert held_quantities([LONG, SHORT]) == {"A/USDT:USDT": 10.0, "B/USDT:USDT": -4.0}


def test_the_equity_has_positions_at_the_last_closes():
    config = {"tradable_balance_ratio": 0.99}
    # Long: 110 - 100, less 0.10 of fees, less 1.50 of funding since the partial exit. Short: 20 - 24, less 0.02.
    gained = (10 - 0.1 - 1.5) + (-4 - 0.02)
    assert account_equity(WALLETS, config, [LONG, SHORT], CLOSES, live=False) == pytest.approx(990 + 0.99 * gained)
    # An exchange's balance has paid fees and funding already.
    assert account_equity(WALLETS, config, [LONG, SHORT], CLOSES, live=True) == pytest.approx(990 + 0.99 * 6)
    # A capital of its own is not cut again.
    capital = {"tradable_balance_ratio": 0.99, "available_capital": 990}
    assert account_equity(WALLETS, capital, [LONG, SHORT], CLOSES, live=True) == pytest.approx(996)


def test_a_position_without_a_close_counts_at_its_entry():
    assert account_equity(WALLETS, {}, [LONG], {}, live=True) == 990
    half_open = trade("A/USDT:USDT", 10.0, 50.0, 2.0, funding=-3.0, orders=[order("sell", -2.0, ft_is_open=True)])
    assert account_equity(WALLETS, {}, [half_open], {}, live=False) == pytest.approx(990 - 0.1 - 3)
