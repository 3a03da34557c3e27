"""The contract of models: run on every registered model, and on broken ones, each refused by its requirement."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.errors import ContractError, ModelError
from quorate.core.settings import (
    CatBoostSettings,
    DLinearSettings,
    ExtraTreesSettings,
    FracastSettings,
    GRUSettings,
    InceptionSettings,
    LightGBMSettings,
    LSTMSettings,
    MiniRocketSettings,
    ModelSettings,
    NHiTSSettings,
    PatchTSTSettings,
    TabMSettings,
    TabNetSettings,
    TCNSettings,
    TFTSettings,
    TiDESettings,
    XGBoostSettings,
)
from quorate.models import FitRequest, names, registry
from quorate.models.linear.logistic import Coefficients, Logistic
from quorate.testing import model_checks, model_contract
from quorate.testing.model_under_test import ModelUnderTest
from stubs.tiny_fracast import write_release

RELEASE = Path(tempfile.gettempdir()) / f"quorate-fracast-{os.getpid()}"
SMALL = ModelSettings(
    xgboost=XGBoostSettings(trees=15, l2_share=0.0),
    lightgbm=LightGBMSettings(trees=15, l2_share=0.0),
    catboost=CatBoostSettings(trees=15, learning_rate=0.2, l2_share=0.0),
    extra_trees=ExtraTreesSettings(trees=15),
    nhits=NHiTSSettings(
        window=16, epochs=6, share=1, hidden=(24, 16, 16), ratios=(4, 2, 1), learning_rate=5e-3, dropout=0
    ),
    patchtst=PatchTSTSettings(
        window=16,
        epochs=6,
        share=1,
        patch=4,
        stride=4,
        width=16,
        heads=2,
        layers=1,
        feedforward=32,
        dropout=0.1,
        head_dropout=0.1,
        learning_rate=5e-3,
    ),
    dlinear=DLinearSettings(window=8, epochs=2, share=1, batch=100, learning_rate=2e-2),
    gru=GRUSettings(window=8, epochs=2, share=1, batch=100, learning_rate=2e-2, width=8, head=8),
    tcn=TCNSettings(window=8, epochs=2, share=1, batch=100, learning_rate=2e-2, width=8, blocks=2),
    minirocket=MiniRocketSettings(window=9, epochs=2, share=1, batch=100, learning_rate=2e-2, features_each=1),
    tide=TiDESettings(window=8, epochs=2, share=1, batch=100, learning_rate=2e-2, width=8),
    tft=TFTSettings(window=6, epochs=2, share=1, batch=100, learning_rate=2e-2, width=4),
    inception=InceptionSettings(window=8, epochs=2, share=1, batch=100, learning_rate=2e-2, filters=2, kernels=(3, 5)),
    tabm=TabMSettings(epochs=1, share=1, batch=60, learning_rate=5e-2, members=2, width=8, layers=1),
    tabnet=TabNetSettings(epochs=1, share=1, batch=50, learning_rate=5e-2, width=4, steps=1, shared=1, own=0),
    fracast=FracastSettings(context=8, steps=(1, 4), weights=str(RELEASE), l2=10.0),
    lstm=LSTMSettings(window=16, epochs=4, width=24, head=16, dropout=0.1, learning_rate=3e-3),
)
EXAMPLE = Path(__file__).parents[2] / "examples" / "outside_member"


# Libraries of the extras `zoo` and `pretrained`, each by the name of its member.
ABSENT = tuple(name for name in ("catboost", "fracast") if find_spec(name) is None)
TESTED = tuple(name for name in names() if name not in ABSENT)


@pytest.fixture(scope="module", autouse=True)
def release():
    """Small weights for the network of fracast."""
    if "fracast" not in ABSENT:
        write_release(RELEASE)
    yield
    shutil.rmtree(RELEASE, ignore_errors=True)


@pytest.mark.parametrize("check", [check for name in TESTED for check in model_checks(name, SMALL)], ids=str)
def test_every_model_meets_the_contract(check):
    check()


@pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {', '.join(ABSENT)}, of an extra")
def test_no_model_is_left_out():
    assert names() == TESTED


def test_a_member_of_an_absent_library_names_the_extra():
    code = "import sys; sys.modules['catboost'] = None; import quorate.models.registry as registry\n"
    code += "registry.model_class('catboost')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "could not train CatBoost" in done.stderr
    assert "pip install 'quorate[zoo]'" in done.stderr


def test_an_unknown_model_has_no_checks():
    with pytest.raises(ModelError, match="Did you mean 'logistic'"):
        list(model_checks("logistics"))


class OtherName(Logistic):
    name = "another name"


class PickleFile(Logistic):
    """Writes a pickle header."""

    def save(self, path):
        super().save(path)
        path.write_bytes(b"\x80\x05" + path.read_bytes())


class LoadsAnyFile(Logistic):
    """Loads any file."""

    def load(self, path):
        F = 6
        self._fitted = Coefficients(*[np.zeros(F)] * 3, np.ones(F), np.zeros((F, 3)), np.zeros(3))
        return self


class ExportsUnfitted(Logistic):
    """Exports before it is fitted."""

    def to_onnx(self):
        return b"" if self._fitted is None else super().to_onnx()


class SwappedClasses(Logistic):
    """Swaps SELL and BUY."""

    def _infer(self, X):
        return super()._infer(X)[:, ::-1]


class Irreproducible(Logistic):
    """Ignores its seed."""

    def _fit(self, request):
        super()._fit(request)
        self._fitted.intercept[:] += np.random.default_rng().normal()


class Accumulating(Logistic):
    """Adds the intercepts of several fits."""

    def _fit(self, request):
        before = self._fitted
        super()._fit(request)
        if before is not None:
            self._fitted.intercept[:] += before.intercept


class Unweighted(Logistic):
    """Ignores the sample weights."""

    def _fit(self, request):
        super()._fit(replace(request, weight=None))


class WithoutProgress(Logistic):
    """Does not report progress."""

    def _fit(self, request):
        super()._fit(replace(request, progress=None))


class Unchecked(Logistic):
    """Does not check its arguments: NaN becomes 0."""

    def fit(self, X, y, *, weight=None, stopping=None, progress=None, checkpoint=None):
        self._fit(FitRequest(np.nan_to_num(X), np.nan_to_num(y), weight, stopping, progress, checkpoint))
        return self

    def output(self, X):
        return self._infer(np.nan_to_num(X)[..., :6])


class ChangesArguments(Logistic):
    """Writes to X."""

    def _fit(self, request):
        super()._fit(request)
        if request.X.flags.writeable:
            request.X[:, 0] = 0


class BatchDependent(Logistic):
    """Standardises by the batch that it predicts."""

    def _infer(self, X):
        return super()._infer(X - X.mean(axis=0))


class OtherGraph(Logistic):
    """Exports the graph of another model."""

    def to_onnx(self):
        kept = self._fitted
        if kept is None:
            return super().to_onnx()
        try:
            self._fitted = Coefficients(*[getattr(kept, n) for n in ("low", "high", "mean", "scale")],
                                        2 * kept.weights, kept.intercept)  # fmt: skip
            return super().to_onnx()
        finally:
            self._fitted = kept


class DropsAbsentClass(Logistic):
    """Drops the column of a class without training rows."""

    def _infer(self, X):
        scores = super()._infer(X)
        return scores[:, scores.max(axis=0) > 1e-9]


@pytest.fixture
def registered(monkeypatch):
    def register(member):
        monkeypatch.setitem(sys.modules, "broken_member", SimpleNamespace(Member=member))
        monkeypatch.setitem(registry._BUILT_IN, "logistic", ("broken_member", "Member"))

    return register


@pytest.mark.parametrize(
    ("member", "requirement"),
    [
        (OtherName, "is_described"),
        (PickleFile, "writes_no_pickle"),
        (LoadsAnyFile, "refuses_an_invalid_file"),
        (ExportsUnfitted, "refuses_use_before_fit"),
        (SwappedClasses, "learns_in_class_order"),
        (Irreproducible, "is_reproducible"),
        (Accumulating, "refits_from_scratch"),
        (Unweighted, "uses_weights"),
        (WithoutProgress, "reports_progress"),
        (Unchecked, "refuses_nan_and_infinity"),
        (Unchecked, "refuses_invalid_arguments"),
        (Unchecked, "refuses_other_column_counts"),
        (ChangesArguments, "leaves_arguments_unchanged"),
        (BatchDependent, "is_independent_of_the_batch"),
        (OtherGraph, "exports_the_same_outputs"),
    ],
)
def test_a_broken_model_fails_its_requirement(registered, member, requirement):
    registered(member)
    # The requirement is not met, or the library itself raises.
    with pytest.raises((ContractError, ValueError)):
        getattr(model_contract, requirement)(ModelUnderTest("logistic", "class", SMALL))


def test_an_output_of_another_shape_is_refused(registered):
    registered(DropsAbsentClass)
    with pytest.raises(ModelError, match=r"an output of shape \(600, 2\); expected \(600, 3\)"):
        model_contract.keeps_the_column_of_an_absent_class(ModelUnderTest("logistic", "class", SMALL))


@pytest.fixture(scope="session")
def outside(tmp_path_factory):
    """Run code in a process in which the example is installed as a package."""
    folder = tmp_path_factory.mktemp("outside")
    source, target = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run([*install, *options], check=True, capture_output=True, text=True)

    def run(code, **variables):
        path = os.pathsep.join(filter(None, (str(target), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path, **variables}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_an_outside_package_is_found_by_its_entry_point_and_meets_the_contract(outside):
    code = """
from quorate.testing import model_checks
from quorate.models import names
assert names()[-1] == "centroid", names()
print(len([check() for check in model_checks("centroid")]))
"""
    assert int(outside(code)) == len(list(model_checks("logistic")))
    assert "centroid" not in names()


def test_an_outside_package_has_a_section_of_the_settings(outside, tmp_path):
    code = r"""
from pathlib import Path
import numpy as np
from quorate.core.configuration import load_settings
from quorate.core.errors import SettingsError
from quorate.core.settings import Settings
from quorate.models.registry import build

def fitted_weights(settings):
    random = np.random.default_rng(1)
    y = np.repeat(np.arange(3, dtype=np.int8), 200)
    X = random.normal(size=(600, 2)).astype(np.float32)
    X[:, 0] += y
    X[:, 1] += y / 10
    return build("centroid", "class", settings.models, seed=1).fit(X, y)._fitted["weights"]

def error_of(text):
    Path("quorate.toml").write_text(text)
    try:
        load_settings()
    except SettingsError as error:
        return str(error)

assert Settings().models.section("centroid").shrink == 0.0
assert (fitted_weights(Settings())[:, [0, 2]] != 0).all()
Path("quorate.toml").write_text("[models.centroid]\nshrink = 0.4\n[models.lightgbm]\nleaves = 7\n")
settings = load_settings()
assert settings.models.lightgbm.leaves == 7
assert settings.models.to_json(["lightgbm", "centroid"])["centroid"] == {"shrink": 0.4}
weights = fitted_weights(settings)
assert (weights[0, [0, 2]] != 0).all() and (weights[1] == 0).all(), weights
assert load_settings(environment={"QUORATE_MODELS__CENTROID__SHRINK": "0.5"}).models.section("centroid").shrink == 0.5
for text, words in (
    ("[models.centroid]\nshrinc = 1", ("'models.centroid.shrinc'", "Did you mean 'shrink'?")),
    ("[models.centriod]\nshrink = 1", ("'models.centriod'", "Did you mean 'centroid'?")),
    ("[centroid]\nshrink = 1", ("the unknown key 'centroid'",)),
    ("[models.centroid]\nshrink = 'much'", ("models.centroid.shrink from quorate.toml", "'much'", "number")),
    ("[models.centroid]\nshrink = 11", ("models.centroid.shrink", "11", "0 to 10")),
    ("[models]\ncentroid = 3", ("models.centroid from quorate.toml", "3")),
):
    for word in words:
        assert word in error_of(text), (text, error_of(text))
"""
    outside(f"import os; os.chdir({str(tmp_path)!r})" + code)
