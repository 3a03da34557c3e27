"""Settings from quorate.toml and the environment: valid ones, and errors for the others."""

import os
from pathlib import Path

import pytest

from quorate.core.configuration import known_keys, load_settings
from quorate.core.errors import SettingsError
from quorate.core.settings import Settings


def write(folder: Path, text: str) -> Path:
    path = folder / "quorate.toml"
    path.write_text(text)
    return path


def test_nothing_given_keeps_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}) == Settings()


def test_the_environment_comes_before_the_file(tmp_path):
    path = write(tmp_path, "[vote]\nfloor = 0.7\nquorum = 0.5\n")
    settings = load_settings(path, {"QUORATE_VOTE__FLOOR": "0.72", "QUORATE_DATA": "elsewhere"})
    assert (settings.vote.floor, settings.vote.quorum) == (0.72, 0.5)


def test_the_file_is_found_by_variable_and_in_the_folder(tmp_path, monkeypatch):
    path = write(tmp_path, "[target]\nhorizon = 12\n")
    assert load_settings(environment={"QUORATE_CONFIG": str(path)}).target.horizon == 12
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}).target.horizon == 12


def test_a_table_of_weights_is_read(tmp_path):
    settings = load_settings(write(tmp_path, "[vote.weights]\nxgboost = 0.4\n"), {})
    assert settings.vote.weight("xgboost") == 0.4
    assert settings.vote.weight("somebody") == settings.vote.default_weight


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[vote]\nflor = 0.7\n", ["vote.flor", "Did you mean 'floor'?", "quorate.toml"]),
        ("[vot]\nfloor = 0.7\n", ["'vot'", "Did you mean 'vote'?"]),
        ("[models.lightgbm]\nleafs = 3\n", ["models.lightgbm.leafs", "Did you mean 'leaves'?"]),
        ("[vote]\nfloor = 'high'\n", ["vote.floor", "'high'", "number"]),
        ("[vote]\nfloor = 1.5\n", ["vote.floor", "1.5", "0 to 1"]),
        ("[split]\ntrain = 0.9\nvalidation = 0.2\n", ["train + validation"]),
        ("[target]\nhorizon = 2.5\n", ["target.horizon", "2.5"]),
        ("[vote\n", ["TOML"]),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, text, words):
    with pytest.raises(SettingsError) as refused:
        load_settings(write(tmp_path, text), {})
    for word in words:
        assert word in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml", {})


def test_a_mistyped_variable_is_refused():
    with pytest.raises(SettingsError, match="QUORATE_VOTE__FLOR"):
        load_settings(environment={"QUORATE_VOTE__FLOR": "0.7"})


@pytest.mark.integration
def test_every_setting_can_be_set_by_the_environment():
    defaults = Settings()
    for key in known_keys():
        value = defaults
        for part in key.split("."):
            value = getattr(value, part)
        if isinstance(value, (int, float, str)):
            variable = "QUORATE_" + key.upper().replace(".", "__")
            assert load_settings(environment={variable: str(value)}) == defaults


def test_a_list_in_the_environment_is_written_as_in_toml_and_a_wrong_one_names_its_variable():
    found = load_settings(
        environment={"QUORATE_MODELS__NHITS__HIDDEN": "[32, 24, 16]", "QUORATE_MODELS__NHITS__EPOCHS": "2"}
    )
    assert (found.models.nhits.hidden, found.models.nhits.epochs) == ((32, 24, 16), 2)
    for text, words in (("[32, 24", "a list, such as"), ('["a", 1, 2]', "models.nhits.hidden.0 from QUORATE_MODELS")):
        with pytest.raises(SettingsError, match="QUORATE_MODELS__NHITS__HIDDEN") as refused:
            load_settings(environment={"QUORATE_MODELS__NHITS__HIDDEN": text, "QUORATE_TRAIN__SEED": "3"})
        assert words in str(refused.value)
        assert "SEED" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        b"[vote]\nfloor = " + b"9" * 5000,
        b"[vote]\nfloor = 1e999",
        b"[vote]\nfloor = " + b"[" * 5000,
        b"[vote]\nfloor = nan",
        b"[feed]\nwindow_bars = " + b"9" * 400,
        b"[vote]\nfloor = '\xff'",
        b'[journal]\nurl = "sqlite:///\\u0000"',
        b"a." * 5000 + b"b = 1",
        b"\0",
    ],
)
def test_hostile_settings_files_are_settings_errors(tmp_path, content):
    path = tmp_path / "quorate.toml"
    path.write_bytes(content)
    if b"url" in content:
        load_settings(path, {})  # the name of the database is judged where it is opened
    else:
        with pytest.raises(SettingsError):
            load_settings(path, {})


@pytest.mark.parametrize("text", ["[" * 5000, "9" * 5000, "1e999", "nan", "\udcff"])
def test_hostile_variables_are_settings_errors(text):
    with pytest.raises(SettingsError):
        load_settings(environment={"QUORATE_VOTE__FLOOR": text})


def test_a_settings_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "quorate.toml"
    path.write_bytes(b"\xef\xbb\xbf[vote]\nfloor = 0.72\n")
    assert load_settings(path, {}).vote.floor == 0.72


def test_a_settings_file_that_is_a_named_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "quorate.toml")
    with pytest.raises(SettingsError, match="named pipe"):
        load_settings(tmp_path / "quorate.toml", {})
