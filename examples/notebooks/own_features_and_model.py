# %% [markdown]
# # Own features and an own model
#
# A column and a member of your own, checked for look-ahead and trained beside a member of Quorate.
# The candles are synthetic, with a planted edge: read no profit into the figures.

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import quorate
from quorate.core.settings import FeatureSettings, LightGBMSettings, ModelSettings, TrainSettings
from quorate.market import SyntheticMarket

folder = Path(tempfile.mkdtemp(prefix="quorate-"))
market = SyntheticMarket(seed=7, symbols=2, bars=800, edge=0.3)
data = market.panel()

# %% [markdown]
# ## A column
#
# A column is a function in a Python file. Its warm-up is the number of bars before a bar that its value depends on.

# %%
columns = folder / "my_features.py"
columns.write_text('''
import numpy as np
import quorate


@quorate.feature(name="close_in_range_24", warmup=23)
def close_in_range_24(bars):
    """Position of the close in the range of 24 bars; 0 without a range."""
    low, high = bars.lowest(24)[23:], bars.highest(24)[23:]
    return np.where(high > low, (bars.close[23:] - low) / np.where(high > low, high - low, 1), 0)
''')
own = FeatureSettings(modules=(str(columns),))
print(quorate.check_own_columns(own))

# %% [markdown]
# ## A column that reads the future
#
# A column is computed again on a cut history. This one changes there, so it is refused, with the bar and both values.


# %%
def scaled(candles):
    """Close in deviations from its mean, which is the mean of later candles too."""
    return ((candles.close - candles.close.mean()) / candles.close.std())[:, None]


print(quorate.check_features(scaled, data, names=("scaled",)))

# %% [markdown]
# ## A member
#
# A model has five methods: fit, score, write, read, and the graph that is served. This one is least squares on the
# indicators of the three classes.

# %%
models = folder / "my_models.py"
models.write_text('''
import numpy as np
from onnx import TensorProto, helper, numpy_helper

import quorate


class LeastSquares(quorate.Model):
    """Least squares of the indicators of the three classes, of a vote only."""

    name = "least_squares"
    suffix = ".csv"
    _weights = None  # (F + 1, 3), the last row is the intercept

    @property
    def columns(self):
        return None if self._weights is None else len(self._weights) - 1

    def _fit(self, request):
        rows = np.column_stack([np.asarray(request.X), np.ones(len(request.y))])
        self._weights = np.linalg.lstsq(rows, np.eye(3)[request.y], rcond=None)[0]

    def _infer(self, X):
        weights = self._require_fitted(self._weights)
        scores = np.maximum(np.asarray(X) @ weights[:-1] + weights[-1], 1e-6)
        return scores / scores.sum(axis=1, keepdims=True)

    def save(self, path):
        np.savetxt(path, self._require_fitted(self._weights), delimiter=",")

    def load(self, path):
        self._weights = np.loadtxt(path, delimiter=",")
        return self

    def to_onnx(self):
        weights = self._require_fitted(self._weights)
        constants = {"weights": weights[:-1], "intercept": weights[-1], "least": np.array(1e-6), "axis": np.array([1])}
        nodes = [
            helper.make_node("Cast", ["input"], ["double"], to=TensorProto.DOUBLE),
            helper.make_node("Gemm", ["double", "weights", "intercept"], ["values"]),
            helper.make_node("Max", ["values", "least"], ["scores"]),
            helper.make_node("ReduceSum", ["scores", "axis"], ["sums"]),
            helper.make_node("Div", ["scores", "sums"], ["normalised"]),
            helper.make_node("Cast", ["normalised"], ["output"], to=TensorProto.FLOAT),
        ]
        graph = helper.make_graph(
            nodes,
            self.name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, self.columns])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [None, 3])],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8).SerializeToString()
''')

# %% [markdown]
# ## Training with both
#
# The member stands beside LightGBM on the same rows, and both beside the class shares.

# %%
settings = replace(
    quorate.Settings(),
    features=own,
    models=ModelSettings(modules=(str(models),), lightgbm=LightGBMSettings(trees=20)),
    train=TrainSettings(features="core14+close_in_range_24", threads=1),
)
trained = quorate.train(
    data,
    folder / "bundles",
    models="least_squares,lightgbm",
    symbols=market.names,
    timeframe="1h",
    settings=settings,
)
print(trained)

# %% [markdown]
# ## What the bundle remembers
#
# The file and the hash of each own column are in its manifest: a bundle is refused where its columns have changed.

# %%
bundle = quorate.load_bundle(trained.path, features=own)
for column in bundle.manifest.own_columns:
    print(column.name, column.module, column.digest[:16])
