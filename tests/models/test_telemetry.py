"""Telemetry of ONNX Runtime: nothing is written for it and nothing is sent, unless the environment asks for it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import quorate

ROOT = Path(quorate.__file__).parent
# Loads the library and runs a graph, without any other of the tests' settings.
CODE = "from quorate.models.byte_products import _sum_of_largest; _sum_of_largest()"


@pytest.mark.parametrize(("variables", "written"), [({}, False), ({"ORT_DISABLE_TELEMETRY": "0"}, True)])
def test_it_is_off_unless_it_is_asked_for(variables, written, tmp_path):
    # The library itself switches it off where tests of CI run.
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    environment = {**kept, "HOME": str(tmp_path), **variables}
    subprocess.run([sys.executable, "-c", CODE], env=environment, check=True)
    assert any(tmp_path.rglob("*")) is written


def test_it_is_off_wherever_the_library_is_loaded():
    loading, function = re.compile(r"\n *(?:import|from) onnxruntime\b"), re.compile(r"\n *def ")
    found = 0
    for path in ROOT.rglob("*.py"):
        text = path.read_text()
        for place in loading.finditer(text):
            above = function.split(text[: place.start()])[-1]
            assert "disable_telemetry()" in above, path
            found += 1
    assert found >= 4
