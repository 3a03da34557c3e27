"""The schema of the settings accepts what `load_settings` accepts, and refuses what it refuses."""

import json
import tomllib

import pytest
from jsonschema import Draft7Validator

from quorate.cli.app import main
from quorate.core.configuration import known_keys, load_settings
from quorate.core.errors import SettingsError
from quorate.workflows.settings_schema import settings_schema


@pytest.fixture(scope="module")
def schema():
    return settings_schema()


def leaves(schema, where=()):
    """Dotted name -> schema of every setting."""
    for name, one in schema["properties"].items():
        if "properties" in one:
            yield from leaves(one, (*where, name))
        else:
            yield ".".join((*where, name)), one


def defaults(schema):
    return {
        name: defaults(one) if "properties" in one else one["default"] for name, one in schema["properties"].items()
    }


def test_every_setting_is_in_the_schema_with_a_description(schema):
    Draft7Validator.check_schema(schema)
    found = dict(leaves(schema))
    assert set(found) == set(known_keys())
    assert [name for name, one in found.items() if not one.get("description")] == []
    assert [name for name, one in schema["properties"].items() if not one.get("description") and name != "models"] == []
    assert found["vote.floor"] == {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.69,
        "description": "minimum confidence of an action",
    }  # fmt: skip
    assert found["account.sizing"]["enum"] == ["risk", "fixed", "atr", "half_kelly"]
    assert found["stack.models.xgboost.trees"]["default"] == 300
    # Exact, also where six digits are not.
    assert found["sizing.seed"]["maximum"] == 2**32 - 1


def test_the_defaults_are_valid(schema):
    assert list(Draft7Validator(schema).iter_errors(defaults(schema))) == []


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("[vote]\nfloor = 0.72\n[models.lightgbm]\ntrees = 400\nrandom_splits = false\n", True),
        ("[models.nhits]\npools = [4, 2, 1]\n[vote.weights]\nxgboost = 1\n", True),
        ("[vote]\nflor = 0.72\n", False),
        ("[voting]\nfloor = 0.72\n", False),
        ('[models.lightgbm]\ntrees = "many"\n', False),
        ("[vote]\nfloor = 1.2\n", False),
        ('[account]\nsizing = "kelly"\n', False),
        ("[models.nhits]\npools = [4, 2.5, 1]\n", False),
        ("[models.xgboost]\nfrom_mean = 2\n", False),
    ],
)
def test_the_schema_and_the_settings_judge_alike(schema, tmp_path, text, valid):
    assert Draft7Validator(schema).is_valid(tomllib.loads(text)) is valid
    file = tmp_path / "quorate.toml"
    file.write_text(text)
    if valid:
        load_settings(file, {})
    else:
        with pytest.raises(SettingsError):
            load_settings(file, {})


def test_the_command_prints_it(schema, capsys):
    assert main(["settings", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema
