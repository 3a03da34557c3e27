"""Installation of the runtime into Freqtrade's environment, without changes to its packages."""

import json
import re
import shlex
from importlib.metadata import requires
from pathlib import Path

import pytest

from stubs import freqtrade
from stubs.overlay import Overlay, wheel

ROOT = Path(__file__).parents[3]

# Packages that the runtime must not install.
TRAINING = {"torch", "xgboost", "xgboost-cpu", "lightgbm", "onnx", "skl2onnx", "sqlalchemy", "ccxt", "pandas"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    freqtrade.require()
    return wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Freqtrade's environment without Quorate."""
    return Overlay(tmp_path_factory.mktemp("overlay") / "venv")


def planned(overlay, *arguments):
    """Packages that pip would install: name -> version."""
    done = overlay.python("-m", "pip", *arguments, "--dry-run", "--quiet", "--report", "-")
    if re.search("Temporary failure in name resolution|Connection|Could not find a version", done.stderr):
        pytest.skip("no access to a package index")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["install"]
    return {one["metadata"]["name"].lower().replace("_", "-"): one["metadata"]["version"] for one in listed}


def test_the_environment_is_freqtrades(bare):
    known = bare.freeze()
    assert "freqtrade" in known
    assert not {"quorate", "onnxruntime"} & set(known)
    done = bare.python("-c", "import freqtrade, pandas, talib, ccxt; print(freqtrade.__version__)")
    assert done.stdout.strip() == known["freqtrade"]


def test_pip_would_change_none_of_freqtrades_packages(bare, built):
    known = bare.freeze()
    new = planned(bare, "install", built)
    assert new["quorate"] == "0.1.0"
    assert "onnxruntime" in new
    assert not set(new) & set(known), "would be changed"
    assert not set(new) & TRAINING


def test_freqtrades_versions_satisfy_the_runtime(bare):
    """Each package that both require is installed in a version that the runtime accepts; needs no index."""
    from packaging.requirements import Requirement

    known = bare.freeze()
    required = [Requirement(line) for line in requires("quorate") if "extra ==" not in line]
    shared = {one.name.lower(): one for one in required if one.name.lower() in known}
    assert {"numpy", "ta-lib", "pyarrow", "pydantic"} <= set(shared)
    wrong = {name: known[name] for name, one in shared.items() if not one.specifier.contains(known[name])}
    assert wrong == {}


@pytest.mark.slow
def test_pip_freeze_before_and_after(tmp_path, built):
    overlay = Overlay(tmp_path / "venv")
    before = overlay.freeze()
    planned(overlay, "install", built)
    done = overlay.python("-m", "pip", "install", "--quiet", built)
    assert done.returncode == 0, done.stderr
    after = overlay.freeze()
    assert {name: after.get(name) for name in before} == before
    assert "quorate" in set(after) - set(before)
    assert overlay.python("-m", "pip", "check").returncode == 0
    done = overlay.python("-c", "import quorate; print(quorate.load_bundle.__module__)")
    assert done.stdout.strip() == "quorate.ensemble.inference.loading", done.stderr


def test_the_steps_of_the_image_change_no_package(bare, built, tmp_path):
    """The RUN step of the Dockerfile as a dry run, with a local folder and without pip's user site."""
    text = (ROOT / "docker" / "freqtrade" / "Dockerfile").read_text()
    assert "FROM freqtradeorg/freqtrade:2026.9" in text
    copied = [word for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE) for word in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    step = re.search(r"^RUN (.*?)(?<!\\)$", text, re.MULTILINE | re.DOTALL)[1].replace("\\\n", "")
    freeze, install, *rest = [shlex.split(part) for part in step.split("&&")]
    assert freeze[:2] == ["pip", "freeze"]
    assert [command[0] for command in rest] == ["quorate", "freqtrade"]
    frozen = tmp_path / "freqtrade.txt"
    done = bare.python("-m", "pip", *freeze[1 : freeze.index(">")])
    assert done.returncode == 0, done.stderr
    frozen.write_text(done.stdout)
    assert "freqtrade==" in done.stdout
    # A virtual environment has no user site.
    replaced = {freeze[-1]: str(frozen), "/home/ftuser/quorate": str(built), "--user": None}
    arguments = [replaced.get(word, word) for word in install[1:]]
    new = planned(bare, *[word for word in arguments if word is not None])
    assert "quorate" in new
    assert not set(new) & set(bare.freeze())


def test_the_pinned_environment_is_complete():
    """Every direct and indirect requirement of Freqtrade and of the runtime is pinned."""
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints-freqtrade.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    assert {"freqtrade", "onnxruntime", "numpy", "ta-lib", "pyarrow", "typer", "rich", "pydantic"} <= pinned
    home = freqtrade.environment()
    if home is None:
        pytest.skip("no Freqtrade: make freqtrade, or name its environment in QUORATE_FREQTRADE")
    known = Overlay.__new__(Overlay)
    known.folder = home
    installed = {name for name in known.freeze() if name not in ("pip", "setuptools", "wheel", "quorate")}
    assert installed == pinned
