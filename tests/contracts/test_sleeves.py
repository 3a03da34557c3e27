"""Every registered sleeve meets the contract of sleeves, and a bad one does not."""

from typing import ClassVar

import numpy as np
import pytest

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.rolling import shifted
from quorate.book.sleeves.registry import names, sleeve_class
from quorate.book.sleeves.sleeve import Sleeve
from quorate.core.errors import ContractError
from quorate.core.types import FloatArray
from quorate.testing import sleeve_checks

CHECKS = [check for name in names() for check in sleeve_checks(name, sleeve_class(name))]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_sleeve(check):
    check()


class Base(Sleeve):
    name: ClassVar[str] = "bad"

    @property
    def lookback_days(self) -> int:
        return 1


class KnowsTomorrow(Base):
    def weights(self, panel: DailyPanel) -> FloatArray:
        return np.nan_to_num(np.sign(shifted(panel.log_return, -1))) / 100


class NotFinite(Base):
    def weights(self, panel: DailyPanel) -> FloatArray:
        return panel.log_return


class OtherShape(Base):
    def weights(self, panel: DailyPanel) -> FloatArray:
        return np.ones((3, len(panel.symbols)))


@pytest.mark.parametrize(
    ("kind", "requirement"),
    [
        (KnowsTomorrow, "reads_no_later_candles"),
        (NotFinite, "weights_fit_the_panel"),
        (OtherShape, "weights_fit_the_panel"),
    ],
)
def test_a_bad_sleeve_is_found(kind, requirement):
    failed = []
    for check in sleeve_checks("bad", kind):
        try:
            check()
        except ContractError:
            failed.append(check.requirement.__name__)
    assert requirement in failed
