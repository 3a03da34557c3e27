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


def test_the_parts_of_the_skill_are_columns():
    skill = {"volatility": 0.02, "volatility_ci": [0.01, 0.03], "direction": None, "direction_ci": None}
    inner = {"missing": {"direction": "no vote"}, "vs_span": {"skill": 0.1}}
    row = metric_table({"xgboost": {"skill_vs_prior": 0.02, "skill": skill | inner}}).loc["xgboost"]
    assert list(row.index) == [
        *("skill_vs_prior", "skill_volatility", "skill_volatility_low", "skill_volatility_high"),
        *("skill_direction", "skill_direction_low", "skill_direction_high"),
    ]
    assert row["skill_volatility_low"] == 0.01
    assert row["skill_direction":].isna().all()
