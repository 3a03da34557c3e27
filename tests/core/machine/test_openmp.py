"""Threads of the training libraries sleep while they wait."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os
from quorate.core.settings import Settings
from quorate.models import build
build("xgboost", "class", Settings().models, seed=1)
print(os.environ["OMP_WAIT_POLICY"])
"""


@pytest.mark.integration
@pytest.mark.parametrize(("set_to", "expected"), [(None, "passive"), ("active", "active")])
def test_the_policy_is_set_before_a_library_is_loaded_unless_the_environment_has_one(set_to, expected):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if set_to:
        environment["OMP_WAIT_POLICY"] = set_to
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True)
    assert run.stdout.strip() == expected
