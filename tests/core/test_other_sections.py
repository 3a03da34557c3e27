"""Sections of the settings that other packages register, with packages as they are on disk once installed."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from quorate.core.configuration import known_keys, load_settings
from quorate.core.errors import SettingsError
from quorate.core.settings import Settings, VoteSettings
from quorate.workflows.settings_schema import settings_schema

MODULE = """
from dataclasses import dataclass, field

@dataclass(frozen=True)
class Hours:
    first: int = 0
    last: int = 24

@dataclass(frozen=True)
class Weather:
    url: str = "http://127.0.0.1"
    stations: tuple[int, ...] = (1, 2)
    hours: Hours = field(default_factory=Hours)

    def __post_init__(self):
        if not self.stations:
            raise ValueError("at least one station")

@dataclass
class Thawed:
    a: int = 0

@dataclass(frozen=True)
class Demanding:
    a: int
    b: int = 0
    c: str = field(kw_only=True)

number = 3
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Add a package that registers sections to the path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "weather_sections.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path / "site")

    def add(package="weather", **sections):
        info = tmp_path / "site" / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        points = "".join(f"{name} = weather_sections:{value}\n" for name, value in sections.items())
        (info / "entry_points.txt").write_text(f"[quorate.settings]\n{points}")

    return add


def load(text, **environment):
    Path("quorate.toml").write_text(text)
    return load_settings(environment=environment)


def test_a_registered_section_is_read_from_the_file_and_the_environment(install):
    install(weather="Weather")
    settings = load(
        "[weather]\nstations = [4]\n[weather.hours]\nfirst = 6\n[vote]\nfloor = 0.7\n",
        QUORATE_WEATHER__URL="http://127.0.0.2",
        QUORATE_WEATHER__HOURS__LAST="18",
    )
    found = settings.section("weather")
    assert asdict(found) == {"url": "http://127.0.0.2", "stations": (4,), "hours": {"first": 6, "last": 18}}
    assert settings.section("vote") == settings.vote == VoteSettings(floor=0.7)
    assert replace(settings, vote=VoteSettings()).section("weather") == found


def test_a_registered_section_that_nothing_sets_has_its_defaults(install):
    install(weather="Weather")
    for settings in (Settings(), load_settings(environment={}), load("[vote]\nfloor = 0.7\n")):
        assert settings.section("weather").stations == (1, 2)
        assert settings.others == {}


def test_known_keys_are_those_of_quorate(install):
    install(weather="Weather")
    keys = list(known_keys())
    assert "vote.floor" in keys
    assert not [key for key in keys if "weather" in key or "others" in key]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[wether]\nurl = 'x'\n", ["the unknown key 'wether'", "quorate.toml", "Did you mean 'weather'?"]),
        ("[weather]\nurk = 'x'\n", ["'weather.urk'", "in [weather]", "Did you mean 'url'?"]),
        ("[weather.hours]\nfrist = 1\n", ["'weather.hours.frist'", "Did you mean 'first'?"]),
        (
            "[weather]\nstations = [1, 'two']\n",
            ["weather.stations.1 from quorate.toml", "'two'", "integer"],
        ),
        ("[weather]\nstations = []\n", ["the setting weather from quorate.toml", "at least one station"]),
        ("weather = 1\n", ["the setting weather from quorate.toml", "found 1"]),
        ("[others]\nweather = 1\n", ["the unknown key 'others'"]),
        ("[vote]\nweather = 1\n", ["the unknown key 'vote.weather'"]),
    ],
)
def test_a_wrong_value_in_a_registered_section_is_refused_as_in_ours(install, text, words):
    install(weather="Weather")
    with pytest.raises(SettingsError) as refused:
        load(text)
    for word in words:
        assert word in str(refused.value)


def test_a_wrong_variable_of_a_registered_section_is_named(install):
    install(weather="Weather")
    with pytest.raises(SettingsError, match=r"weather\.hours\.last from QUORATE_WEATHER__HOURS__LAST"):
        load("", QUORATE_WEATHER__HOURS__LAST="late")
    with pytest.raises(SettingsError, match=r"QUORATE_WEATHER__HOURS__LATS.*Did you mean 'last'"):
        load("", QUORATE_WEATHER__HOURS__LATS="1")


def test_a_section_that_nobody_registered_is_refused_with_the_close_match(install):
    install(weather="Weather")
    with pytest.raises(SettingsError, match=r"\[whether\].*Did you mean 'weather'"):
        Settings().section("whether")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Thawed", "a frozen dataclass"),
        ("number", "found 3; expected a frozen dataclass"),
        ("Demanding", "no default for a, c"),
        ("Absent", "load the section .* no attribute 'Absent'|has no attribute"),
    ],
)
def test_what_cannot_be_a_section_is_refused_with_its_package(install, value, words):
    install(weather=value)
    with pytest.raises(SettingsError, match=words) as refused:
        load("[weather]\na = 1\n")
    assert "[weather] of weather" in str(refused.value)


def test_names_that_are_taken_are_refused(install):
    install("storm", vote="Weather")
    with pytest.raises(SettingsError, match=r"\[vote\] of storm.*a section of that name in Quorate"):
        Settings().section("weather")


def test_two_packages_cannot_register_one_section(install):
    install("weather", weather="Weather")
    install("storm", weather="Weather")
    with pytest.raises(SettingsError, match=r"\[weather\] of (weather|storm).*in (storm|weather)"):
        load("[weather]\nurl = 'x'\n")


def test_the_schema_for_editors_has_them(install):
    install(**{"weather": "Weather", "models.weather": "Weather"})
    schema = settings_schema()["properties"]
    for section in (schema["weather"], schema["models"]["properties"]["weather"]):
        assert section["additionalProperties"] is False
        assert section["properties"]["stations"]["default"] == [1, 2]
        assert section["properties"]["hours"]["properties"]["last"] == {"type": "integer", "default": 24}
