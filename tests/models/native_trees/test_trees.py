"""Trees read from native files without their libraries, and TreeSHAP against the libraries' own."""

import lightgbm
import numpy as np
import pytest
import xgboost

from quorate.core.errors import ModelError
from quorate.core.settings import LightGBMSettings, ModelSettings, XGBoostSettings
from quorate.models import build
from quorate.models.native_trees.native_files import read_trees
from quorate.models.native_trees.tree_shap import gain_shares, leaf_paths
from quorate.models.native_trees.ubjson import parse_ubjson

COLUMNS = 6
SMALL = ModelSettings(
    xgboost=XGBoostSettings(trees=15, depth=7, l2_share=0.0, leaf_share=0.0, colsample_node=1.0),
    lightgbm=LightGBMSettings(trees=15, depth=9, leaf_share=0.0, l2_share=0.0, random_splits=False),
)


def rows(n=1_500):
    random = np.random.default_rng(3)
    X = random.normal(size=(n, COLUMNS)).astype(np.float32)
    forward = 0.01 * X[:, 0] * X[:, 1] + 0.01 * random.normal(size=n)
    return X, np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8), forward


@pytest.fixture(scope="module", params=[(m, t) for m in ("xgboost", "lightgbm") for t in ("class", "return")])
def fitted(request, tmp_path_factory):
    """Name, task, the fitted model and its native file."""
    name, task = request.param
    X, y, forward = rows()
    model = build(name, task, SMALL, seed=1, threads=1).fit(X, y if task == "class" else forward)
    path = tmp_path_factory.mktemp("native") / "model"
    model.save(path)
    return name, task, model, path.read_bytes()


def native_contributions(name, content, X):
    """(B, C, F) contributions and (B, C) bias by the library."""
    if name == "xgboost":
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        found = booster.predict(xgboost.DMatrix(X), pred_contribs=True, strict_shape=True)
    else:
        booster = lightgbm.Booster(model_str=content.decode())
        found = booster.predict(X.astype(np.float64), pred_contrib=True).reshape(len(X), -1, X.shape[1] + 1)
    return found[..., :-1], found[..., -1]


def test_contributions_are_those_of_the_library(fitted):
    name, _, _, content = fitted
    X, paths = rows()[0][:20], leaf_paths(read_trees(content, name))
    expected, bias = native_contributions(name, content, X)
    for row, own, base in zip(X, expected, bias, strict=True):
        np.testing.assert_allclose(paths.contributions(row).T, own, atol=1e-5)  # XGBoost's are in single precision
        np.testing.assert_allclose(paths.base, base, atol=1e-5)


def test_contributions_add_up_to_what_the_model_returns(fitted):
    name, task, model, content = fitted
    X, paths = rows()[0][:20], leaf_paths(read_trees(content, name))
    for row in X:
        margins = paths.base + paths.contributions(row).sum(axis=0)
        if task == "class":
            margins = np.exp(margins) / np.exp(margins).sum()
        np.testing.assert_allclose(margins, model.output(row[None])[0], atol=1e-6)


def test_shares_of_the_gain_are_those_of_the_library(fitted):
    name, _, _, content = fitted
    if name == "xgboost":
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        found = booster.get_score(importance_type="total_gain")
        expected = np.array([found.get(f"f{place}", 0.0) for place in range(COLUMNS)])
    else:
        expected = lightgbm.Booster(model_str=content.decode()).feature_importance("gain")
    np.testing.assert_allclose(gain_shares(read_trees(content, name)), expected / expected.sum(), rtol=1e-5)


def test_a_file_that_was_cut_or_altered_is_refused(fitted):
    name, _, _, content = fitted
    random = np.random.default_rng(5)
    with pytest.raises(ModelError, match="unreadable file"):
        read_trees(content[: len(content) // 2], name)
    for _ in range(60):
        place = int(random.integers(len(content)))
        altered = content[:place] + bytes([int(random.integers(256))]) + content[place + 1 :]
        try:
            paths = leaf_paths(read_trees(altered, name))
        except ModelError:
            continue
        assert np.isfinite(paths.share).all()


def test_trees_of_other_members_are_an_error():
    with pytest.raises(ModelError, match="expected xgboost or lightgbm"):
        read_trees(b"", "nhits")


def test_nodes_that_lead_back_are_refused():
    text = "tree\nnum_tree_per_iteration=1\nmax_feature_idx=0\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\n"
    text += "split_gain=1\nthreshold=0.5\nleft_child={left}\nright_child=-2\nleaf_value=1 2\nleaf_count=3 4\n"
    text += "internal_count=7\n\nend of trees\n"
    assert leaf_paths(read_trees(text.format(left=-1).encode(), "lightgbm")).base == pytest.approx((3 + 8) / 7)
    with pytest.raises(ModelError, match="nodes that form no tree"):
        read_trees(text.format(left=0).encode(), "lightgbm")


def test_documents_of_ubjson():
    assert parse_ubjson(b"{i\x01a[$U#i\x03\x01\x02\xffi\x01b[TFZ]i\x01cSi\x02hii\x01dd?\x80\x00\x00}") == {
        "a": pytest.approx([1, 2, 255]),
        "b": [True, False, None],
        "c": "hi",
        "d": 1.0,
    }
    for wrong in (b"", b"{", b"[i", b"Q", b"i\x01i", b"[" * 40, b"[$d#i\x7f", b"[#l\xff\xff\xff\xff"):
        with pytest.raises(ValueError, match=r"."):
            parse_ubjson(wrong)
