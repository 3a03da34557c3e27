"""The sdist and the wheel: what is in them, and that the program runs from the wheel alone."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path
from types import SimpleNamespace

import pytest

import quorate
from quorate.market.synthetic import SyntheticMarket

ROOT = Path(__file__).parents[2]

# The demo's networks, small.
SMALL = {
    "QUORATE_MODELS__NHITS__WINDOW": "24",
    "QUORATE_MODELS__NHITS__HIDDEN": "[32, 24, 16]",
    "QUORATE_MODELS__NHITS__EPOCHS": "2",
    "QUORATE_MODELS__PATCHTST__WINDOW": "24",
    "QUORATE_MODELS__PATCHTST__WIDTH": "16",
    "QUORATE_MODELS__PATCHTST__HEADS": "2",
    "QUORATE_MODELS__PATCHTST__LAYERS": "1",
    "QUORATE_MODELS__PATCHTST__FEEDFORWARD": "32",
    "QUORATE_MODELS__PATCHTST__EPOCHS": "1",
    "QUORATE_TRAIN__THREADS": "1",
}


def build(source, folder, *targets):
    """Run the build backend on a source tree, without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    for target in targets:
        command += ["-t", target]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def contents(wheel):
    """Name -> bytes of every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the sdist and the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "sdist", "wheel")
    (sdist,), (wheel,) = folder.glob("quorate-*.tar.gz"), folder.glob("quorate-*.whl")
    return SimpleNamespace(sdist=sdist, wheel=wheel)


@pytest.fixture(scope="module")
def source():
    """Every file of the package in the checkout, named from its top folder."""
    files = {
        path.relative_to(ROOT / "src").as_posix(): path.read_bytes()
        for path in (ROOT / "src" / "quorate").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {".py", ".typed", ".css", ".js"} <= {Path(name).suffix for name in files}
    assert any("/migrations/" in name for name in files)
    return files


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A new environment with the wheel installed; it borrows the packages of this one, but not the checkout."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    clean = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PYTHONPATH")}
    done = subprocess.run(
        [*pip, "--no-deps", "--no-index", built.wheel], env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # A folder that a .pth file names is searched; the .pth files in it, which name the checkout, are not read.
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))

    def run(*command, **settings):
        return subprocess.run(
            [folder / "bin" / command[0], *map(str, command[1:])],
            cwd=folder,
            env={**clean, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    return SimpleNamespace(run=run, packages=packages)


def test_the_wheel_is_the_package_and_nothing_else(built, source):
    found = contents(built.wheel)
    ours = {name: text for name, text in found.items() if ".dist-info/" not in name}
    assert ours.keys() == source.keys()
    assert ours == source
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in found)


def test_the_sdist_has_the_package_and_what_builds_it(built, source):
    with tarfile.open(built.sdist) as archive:
        top = built.sdist.name.removesuffix(".tar.gz")
        names = {member.name.removeprefix(f"{top}/") for member in archive.getmembers() if member.isfile()}
    beside = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "constraints.txt", "PKG-INFO", ".gitignore"}
    assert names == {f"src/{name}" for name in source} | beside


def test_a_wheel_built_from_the_sdist_is_the_same(built, tmp_path):
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    build(unpacked, tmp_path / "dist", "wheel")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert contents(wheel) == contents(built.wheel)


def test_the_metadata_is_what_pyproject_says(built):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (raw,) = [text for name, text in contents(built.wheel).items() if name.endswith(".dist-info/METADATA")]
    metadata = message_from_bytes(raw)
    assert metadata["Version"] == quorate.__version__ == project["version"]
    assert metadata["Requires-Python"] == project["requires-python"]
    assert metadata.get_all("Provides-Extra") == sorted(project["optional-dependencies"])
    assert dict(line.split(", ") for line in metadata.get_all("Project-URL")) == project["urls"]
    assert set(metadata.get_all("Classifier")) == set(project["classifiers"])
    needed = {re.match(r"[\w-]+", line)[0] for line in metadata.get_all("Requires-Dist") if "extra ==" not in line}
    assert needed == {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]}


def test_the_program_runs_from_the_wheel(installed, tmp_path):
    where = installed.run("python", "-c", "import quorate; print(quorate.__file__)")
    assert where.stdout.strip() == str(installed.packages / "quorate" / "__init__.py"), where.stderr
    version = installed.run("quorate", "--version")
    assert version.stdout == f"quorate {quorate.__version__}\n", version.stderr
    market = SyntheticMarket(seed=1, symbols=2, bars=60)
    market.write(tmp_path)
    listed = installed.run("quorate", "data", "list", "--data", tmp_path)
    assert listed.returncode == 0, listed.stderr
    for symbol in market.names:
        assert f"{symbol} (synthetic)" in listed.stdout


def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    """With it the report's page, whose style sheet and script are files of the package."""
    done = installed.run("quorate", "demo", "--out", tmp_path / "demo", **SMALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SYNTHETIC MARKET")
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "SYNTHETIC" in page
    assert "color-scheme" in page


def test_a_journal_is_made_from_the_wheel(installed, tmp_path):
    """Its tables are made by the migrations, which are found as files."""
    file = tmp_path / "journal.sqlite"
    code = f"from quorate.trading.journal import Journal; Journal.open('sqlite:///{file}', 'paper').close()"
    done = installed.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert file.exists()


@pytest.mark.slow
def test_the_wheel_installs_with_its_dependencies_from_the_index(built, tmp_path):
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    environment = {**os.environ, **SMALL, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    environment.pop("PYTHONPATH", None)

    def run(program, *arguments):
        return subprocess.run(
            [folder / "bin" / program, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("pip", "install", "--quiet", f"{built.wheel}[train]")
    if re.search("Temporary failure in name resolution|Connection|Could not find a version", done.stderr):
        pytest.skip("no package index to ask")
    assert done.returncode == 0, done.stderr
    assert run("pip", "check").returncode == 0
    done = run("quorate", "demo")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "report.html").exists()
