"""Unit and integration tests, told apart by the hook in the root conftest.py: a small suite of its own is collected."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HELPERS = """
import subprocess, sys
from http.server import ThreadingHTTPServer

def start():
    return subprocess.run([sys.executable, "-V"])

class Server(ThreadingHTTPServer):
    pass

class Client:
    def ask(self):
        return start()
"""

CONFTEST = """
from functools import partial
import helpers, pytest
from quorate.ensemble.training import train

@pytest.fixture
def program():
    return partial(helpers.start)

@pytest.fixture
def through(program):
    return program

@pytest.fixture(scope="session")
def trained():
    return train([])

@pytest.fixture
def folder(tmp_path):
    return tmp_path
"""

TESTS = """
import os, socket
import helpers, pytest
from helpers import Client, Server
from hypothesis import given, strategies
import quorate
from quorate.models import Network
from quorate.targets import walk_forward
from quorate.testing import Check

KINDS = {"one": len, "two": helpers.start}

def plain():
    return [subprocess for subprocess in (1, 2)]

def test_unit_plain(): plain()
def test_unit_folder(folder): plain()
def test_unit_method_of_a_network(): Network().train()
def test_unit_split(): walk_forward(3)
def test_unit_attribute(folder): folder.train
@pytest.mark.parametrize("kind", ["sqlite"])
def test_unit_parameter(kind): pass

@given(strategies.integers())
def test_unit_property(n): plain()

def test_integration_module(): socket.socket()
def test_integration_fork(): os.fork()
def test_integration_attribute_of_a_helper(): helpers.start()
def test_integration_class(): Server
def test_integration_method(): Client().ask()
def test_integration_nested():
    def inner(): return helpers.start()
    inner()
def test_integration_mapping(): KINDS["two"]()
def test_integration_fixture(program): pass
def test_integration_fixture_of_a_fixture(through): pass
def test_integration_training(trained): pass
def test_integration_public_training(): quorate.train([])
@pytest.mark.parametrize("kind", ["postgresql"])
def test_integration_parameter(kind): pass
@pytest.mark.parametrize("check", [Check()])
def test_integration_contract(check): pass
@pytest.mark.slow
def test_integration_slow(): pass
@given(strategies.integers())
def test_integration_property(n): helpers.start()
"""

PACKAGE = {
    "__init__.py": "__all__ = ['train']\ndef __getattr__(name):\n    from quorate.ensemble.training import train\n"
    "    return {'train': train}[name]\n",
    "ensemble/__init__.py": "",
    "ensemble/training.py": "def train(panel): ...\n",
    "models.py": "class Network:\n    def train(self): ...\n",
    "targets.py": "def walk_forward(rows): ...\n",
    "testing.py": "class Check: ...\n",
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """A project with the conftest.py and a package that is called quorate."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "conftest.py", folder)
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["tests", "src"]\n'
        'addopts = "--strict-markers --import-mode=importlib"\n'
        'markers = ["slow: s", "unit: u", "integration: i"]\n'
    )
    for name, text in {"helpers.py": HELPERS, "conftest.py": CONFTEST, "test_all.py": TESTS}.items():
        (folder / "tests" / name).write_text(text)
    for name, text in PACKAGE.items():
        path = folder / "src" / "quorate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def marked(suite):
    """The mark -> names of the tests that -m selects by it."""
    found = {}
    for mark in ("unit", "integration"):
        command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", "-m", mark]
        done = subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found[mark] = {line.split("::")[1].split("[")[0] for line in done.stdout.splitlines() if "::" in line}
    return found


@pytest.mark.parametrize("mark", ["unit", "integration"])
def test_each_test_has_the_mark_of_what_it_does_and_no_other(marked, mark):
    written = {name for name in TESTS.replace("(", " ").split() if name.startswith(f"test_{mark}_")}
    assert len(written) > 5
    assert marked[mark] == written
