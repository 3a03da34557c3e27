"""The forecaster of docs/pretrained.md, as a file of a user's own."""

from pathlib import Path

import numpy as np
import pytest

from quorate.core.settings import ModelSettings
from quorate.models.registry import build
from quorate.models.runtime import OnnxSession

PAGE = Path(__file__).parents[3] / "docs" / "pretrained.md"


@pytest.fixture
def settings(tmp_path):
    code = PAGE.read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "my_forecasters.py").write_text(code)
    return ModelSettings(modules=(str(tmp_path / "my_forecasters.py"),))


@pytest.mark.parametrize("task", ["class", "return"])
def test_it_is_fitted_exported_and_calm_where_the_past_was(settings, task):
    random = np.random.default_rng(3)
    calm = np.repeat([0.001, 0.02], 100)[:, None, None]
    X = (calm * random.normal(size=(200, 240, 3))).astype(np.float32)
    y = np.where(np.arange(200) < 100, 1, np.arange(200) % 2 * 2) if task == "class" else calm[:, 0, 0]
    model = build("my_forecaster", task, settings, seed=1, threads=1, features=("a", "price_change", "b"))
    found = model.fit(X, y).output(X)
    # Volatility decides, and it is known from the past alone.
    assert (found[:100, -2] > 0.9).all() if task == "class" else (found[:100] < 0.005).all()
    assert (found[100:, -2] < 0.1).all() if task == "class" else (found[100:] > 0.015).all()
    np.testing.assert_allclose(OnnxSession(model.to_onnx(), 3, "it").run(X), found, atol=1e-5)
    mark = model.pretraining.mark("it")
    assert mark.startswith("PRETRAINED: it is my forecaster 1, pretrained on data before 2025-01-01")
