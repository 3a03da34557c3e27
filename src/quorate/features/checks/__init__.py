"""Checks that every column must pass; columns of a user's own pass them before they are used."""

from quorate.features.checks.failures import ColumnCheck, ColumnFailure
from quorate.features.checks.markets import CheckMarket
from quorate.features.checks.own_columns import check_own, require_sound

__all__ = ["CheckMarket", "ColumnCheck", "ColumnFailure", "check_own", "require_sound"]
