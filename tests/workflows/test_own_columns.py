"""Columns of a user's own, checked from Python."""

import pytest

from quorate.core.errors import ArgumentError, FeatureError, SettingsError
from quorate.core.settings import FeatureSettings
from quorate.workflows.check import check_own_columns

SOURCE = """
from quorate.features.own import feature


@feature(warmup=1)
def gap(bars):
    return bars.open[1:] / bars.close[:-1] - 1


@feature(warmup=3)
def centred(bars):
    return bars.close / bars.close.mean() - 1
"""


@pytest.fixture
def found(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return check_own_columns(FeatureSettings([str(path), str(tmp_path / "." / "mine.py")]))


def test_every_column_has_its_result(found):
    assert not found.ok
    assert [(one.source.name, one.ok) for one in found.columns] == [("gap", True), ("centred", False)]
    assert isinstance(found.columns[1].error, FeatureError)
    assert found.columns[0].error is None


def test_the_result_is_a_table(found):
    frame = found.to_pandas()
    assert frame["name"].tolist() == ["gap", "centred"]
    assert frame["warmup"].tolist() == [1, 3]
    assert frame["failure"].tolist() == ["", "truncation"]
    with pytest.raises(ArgumentError, match="columns"):
        found.to_pandas("rows")


def test_the_result_is_shown_as_text_and_html(found):
    text = str(found)
    assert text.splitlines()[0] == "2 columns of your own, 1 refused"
    assert "refused" in text.splitlines()[-1]
    page = found._repr_html_()
    assert "<td>centred</td>" in page
    assert "truncation: at the bar of" in page


def test_the_settings_of_the_project_are_the_default(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SOURCE)
    (tmp_path / "quorate.toml").write_text('[features]\nmodules = ["mine.py"]\n')
    monkeypatch.setenv("QUORATE_CONFIG", str(tmp_path / "quorate.toml"))
    assert len(check_own_columns().columns) == 2
    (tmp_path / "quorate.toml").write_text('[features]\nmodules = ["gone.py"]\n')
    with pytest.raises(SettingsError, match=r"gone\.py"):
        check_own_columns()
