"""Models of the user's own: files named by models.modules, in the registry, in a training and in the manifest."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quorate.core.configuration import load_settings
from quorate.core.errors import ModelError, SettingsError
from quorate.core.sections.stack import StackModelSettings
from quorate.core.settings import ModelSettings, Settings, TrainSettings
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.models.registry import build, model_class, names, require_known
from quorate.testing import model_checks

# A file with a model, as a user writes it; what it imports is not its own.
MODULE = '''
from quorate import Model
from quorate.models.linear.logistic import Logistic


class Own(Logistic):
    """Logistic regression under another name."""

    name = "{name}"
'''


def write(folder, file="my_models.py", name="own", text=MODULE):
    path = folder / file
    path.write_text(text.replace("{name}", name))
    return str(path)


def test_models_of_a_file_are_registered_after_the_others(tmp_path):
    settings = ModelSettings(modules=(write(tmp_path),))
    assert names(settings) == (*names(), "own")
    assert "own" not in names()
    assert model_class("own", settings).name == "own"
    with pytest.raises(ModelError, match="Did you mean 'own'"):
        require_known("owns", settings)
    with pytest.raises(ModelError, match="no such model"):
        require_known("own", ModelSettings())


def test_imported_and_abstract_classes_are_left_out(tmp_path):
    """Logistic and Model are imported by the file."""
    assert set(names(ModelSettings(modules=(write(tmp_path),)))) - set(names()) == {"own"}
    abstract = MODULE + "\n\nclass Unfinished(Model):\n    name = 'unfinished'\n"
    settings = ModelSettings(modules=(write(tmp_path, "with_abstract.py", text=abstract),))
    assert set(names(settings)) - set(names()) == {"own"}


def test_the_model_of_the_documentation_meets_the_contract(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "own_models.md").read_text()
    (code,) = re.findall(r"```python\n(import json.*?)```", page, re.DOTALL)
    settings = ModelSettings(modules=(write(tmp_path, text=code),))
    checks = list(model_checks("linear", settings))
    assert len(checks) > 40
    for check in checks:
        check()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("x = 1", ModelError, r"my_models\.py, which the setting models\.modules names: found no model"),
        (
            MODULE.replace("{name}", "two words"),
            ModelError,
            "the class Own of my_models.py: found the name 'two words'",
        ),
        (
            MODULE.replace("{name}", "xgboost"),
            ModelError,
            "'xgboost' of my_models.py: found a model of that name in Quorate",
        ),
        (
            MODULE + "\n\nclass Second(Own):\n    pass\n",
            ModelError,
            "'own': found it in my_models.py and in my_models.py",
        ),
        ("raise ValueError('x')", SettingsError, r"models\.modules names: found ValueError: x, in line 1"),
    ],
)
def test_an_invalid_file_is_refused(tmp_path, text, error, message):
    settings = ModelSettings(modules=(write(tmp_path, text=text),))
    with pytest.raises(error, match=message):
        require_known("own", settings)


def test_a_name_in_two_files_and_a_missing_file_are_refused(tmp_path):
    two = (write(tmp_path), write(tmp_path, "other.py"))
    with pytest.raises(ModelError, match=r"it in my_models\.py and in other\.py"):
        names(ModelSettings(modules=two))
    with pytest.raises(SettingsError, match=r"load gone\.py, which the setting models\.modules names"):
        names(ModelSettings(modules=(str(tmp_path / "gone.py"),)))


def test_the_setting_is_a_list_of_files_relative_to_the_settings_file(tmp_path):
    write(tmp_path)
    (tmp_path / "quorate.toml").write_text('[models]\nmodules = ["my_models.py"]\n')
    settings = load_settings(tmp_path / "quorate.toml", {})
    assert settings.models.modules == (str(tmp_path / "my_models.py"),)
    assert build("own", "class", settings.models, seed=1).name == "own"
    with pytest.raises(SettingsError, match=r"models\.modules.*a list of files"):
        ModelSettings(modules="my_models.py")


def test_a_stack_reads_the_files_of_both_sections(tmp_path):
    first, second = write(tmp_path), write(tmp_path, "second.py", "second")
    settings = replace(
        Settings(),
        models=ModelSettings(modules=(first,)),
        stack=replace(Settings().stack, models=StackModelSettings(modules=(first, second))),
    )
    stack = RECIPES["stack"].model_settings(settings)
    assert stack.modules == (first, second)
    assert stack.lightgbm == settings.stack.models.lightgbm


def test_a_bundle_records_the_digest_of_the_file_and_needs_no_file(tmp_path):
    path = write(tmp_path)
    market = SyntheticMarket(seed=3, symbols=1, bars=500)
    panel = market.panel()
    candles = panel[market.names[0]]
    settings = replace(
        Settings(), models=ModelSettings(modules=(path,)), train=TrainSettings(threads=1, features="core14")
    )
    spec = TrainingSpec(models=("own", "logistic"), settings=settings, end=int(candles.time[400]))
    trained = train_ensemble(panel, "1h", spec, tmp_path / "bundles")
    digest = hashlib.sha256((tmp_path / "my_models.py").read_bytes()).hexdigest()
    assert trained.manifest.versions["my_models.py"] == digest
    (tmp_path / "my_models.py").unlink()
    frame = load_bundle(trained.path).predict_frame(candles)
    np.testing.assert_array_equal(frame.scores["own"], frame.scores["logistic"])

    without = replace(spec, models=("logistic",))
    other = train_ensemble(
        panel, "1h", replace(without, settings=replace(settings, models=ModelSettings())), tmp_path / "b"
    )
    assert "my_models.py" not in other.manifest.versions
