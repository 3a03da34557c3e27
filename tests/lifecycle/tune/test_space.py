"""The search space: ranges around what is set, choices as settings and back, and as a file."""

import tomllib
from dataclasses import replace

import pytest

from quorate.core.configuration import load_settings
from quorate.core.errors import EvaluationError, FeatureError, SettingsError
from quorate.core.settings import LightGBMSettings, Settings, TuneSettings
from quorate.lifecycle.tune.snippet import settings_snippet
from quorate.lifecycle.tune.space import RANGES, Range, distributions, search_space, settings_as_they_are, with_choices
from quorate.models.registry import names


@pytest.mark.parametrize("member", RANGES)
def test_both_ends_of_every_range_are_settings_that_are_accepted(member):
    assert member in names()
    for end in ("low", "high"):
        choices = {f"{member}.{name}": getattr(wide, end) for name, wide in RANGES[member].items()}
        section = getattr(with_choices(choices, Settings()).models, member)
        assert all(getattr(section, name.split(".")[1]) == value for name, value in choices.items())
    for name, wide in RANGES[member].items():
        now = getattr(getattr(Settings().models, member), name)
        # Whole numbers stay whole: a depth of 4.3 is none.
        assert isinstance(now, int) == (isinstance(wide.low, int) and isinstance(wide.high, int)), name


def test_the_settings_as_they_are_lie_inside():
    models = replace(Settings().models, lightgbm=LightGBMSettings(learning_rate=0.7, l2_share=0.0, depth=12))
    settings = replace(Settings(), models=models)
    space = search_space(("lightgbm",), settings)
    first = settings_as_they_are(space, settings)
    assert first["lightgbm.learning_rate"] == 0.7
    for name, distribution in distributions(space).items():
        assert distribution._contains(distribution.to_internal_repr(first[name])), name
    assert with_choices(first, settings) == settings
    assert space["lightgbm.l2_share"] == Range(0.0, 0.3)


def test_what_is_searched_is_a_setting():
    settings = replace(Settings(), tune=TuneSettings(over=("horizon",), horizons=(2, 5)))
    assert search_space(("qda",), settings) == {"horizon": (2, 5)}
    with pytest.raises(EvaluationError, match="nothing to vary of horizon"):
        search_space(("qda",), replace(settings, tune=TuneSettings(over=("horizon",), horizons=(5,))))
    with pytest.raises(FeatureError, match="core41"):
        search_space(("qda",), replace(settings, tune=TuneSettings(features=("core41",))))
    with pytest.raises(SettingsError, match=r"tune\.over"):
        TuneSettings(over=("depth",))


def test_the_file_of_a_winner_sets_what_it_says(tmp_path):
    choices = {"lightgbm.depth": 4, "lightgbm.l2_share": 1e-05, "horizon": 8, "band": 0.004, "features": "core14"}
    path = tmp_path / "quorate.toml"
    path.write_text(settings_snippet(choices, "found"))
    assert tomllib.loads(path.read_text())["models"]["lightgbm"] == {"depth": 4, "l2_share": 1e-05}
    assert load_settings(path) == with_choices(choices, Settings())
