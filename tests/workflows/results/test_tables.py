import sys

import pytest

from quorate.core.errors import MissingExtraError
from quorate.evaluation.lookahead import LeakageReport
from quorate.workflows.results.tables import metric_table, utc


@pytest.mark.parametrize(
    "make",
    [
        lambda: metric_table({"xgboost": {"log_loss": 1.0}}),
        lambda: utc([0]),
        lambda: LeakageReport((), ()).to_pandas(),
    ],
    ids=["metrics", "times", "leaks"],
)
def test_a_table_without_pandas_names_what_to_install(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="pip install"):
        make()
