"""Contract suites for models, columns, sleeves and sources of candles of other packages, to be run by pytest:

import pytest
from quorate.testing import model_checks

@pytest.mark.parametrize("check", model_checks("my_model"), ids=str)
def test_my_model(check):
    check()
"""

from quorate.testing.bundle_contract import model_checks
from quorate.testing.contract_check import Check
from quorate.testing.feature_contract import feature_checks
from quorate.testing.sleeve_contract import sleeve_checks
from quorate.testing.source_contract import reference_market, source_checks

__all__ = ["Check", "feature_checks", "model_checks", "reference_market", "sleeve_checks", "source_checks"]
