"""Bundle folders: atomic publication, and errors that name the file that has changed."""

import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorate import load_bundle
from quorate.core.errors import BundleError
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.manifest import FILE_NAME, Manifest


def test_a_bundle_is_named_by_its_content_and_published_once(world):
    manifest, files = storage.read(world.trained.path)
    assert world.trained.path.name == manifest.id == world.trained.manifest.id
    assert sorted(files) == ["calibration.json", "lightgbm.onnx", "lightgbm.txt", "xgboost.onnx", "xgboost.ubj"]
    before = {path: path.stat().st_mtime_ns for path in world.trained.path.iterdir()}
    again, _ = storage.publish(world.trained.path.parent, manifest, files)
    assert again == world.trained.path
    assert {path: path.stat().st_mtime_ns for path in world.trained.path.iterdir()} == before
    assert not list(world.trained.path.parent.glob(".draft-*"))


def test_content_of_the_manifest(world):
    tree = json.loads((world.trained.path / FILE_NAME).read_text())
    assert tree["classes"] == ["SELL", "HOLD", "BUY"]
    assert tree["features"]["set"] == "core14"
    assert len(tree["features"]["names"]) == 14
    assert tree["synthetic"] is True
    assert tree["training_span"] == {"from": "2024-01-03T01:00:00Z", "to": "2024-01-30T03:00:00Z"}
    assert set(tree["files"]) == {"calibration.json", "lightgbm.onnx", "lightgbm.txt", "xgboost.onnx", "xgboost.ubj"}
    assert tree["rows"]["candles"] == 2 * 700
    # 49 warm-up rows and 5 without a future, of each symbol.
    assert tree["rows"]["labelled"] == 2 * (700 - 49 - 5)


@pytest.mark.parametrize(
    "name", ["calibration.json", "lightgbm.onnx", "lightgbm.txt", "xgboost.onnx", "xgboost.ubj", FILE_NAME]
)
def test_a_changed_byte_of_any_file_is_an_error_that_names_the_file(copy, name):
    path = copy / name
    content = path.read_bytes()
    for place in (0, len(content) // 3, len(content) // 2, len(content) - 2, len(content) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(BundleError, match="load the bundle") as refused:
            storage.read(copy)
        assert name in str(refused.value)
    path.write_bytes(content)
    storage.read(copy)


def test_a_changed_byte_of_the_manifest_is_an_error(copy):
    path = copy / FILE_NAME
    content = path.read_bytes()
    for place in range(0, len(content), 17):
        altered = content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]
        with pytest.raises(BundleError):
            Manifest.parse(altered, path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(schema_version=99), "schema version 99; expected version 4"),
        (
            lambda t: t.update(classes=["BUY", "HOLD", "SELL"]),
            r"class order \['BUY', 'HOLD', 'SELL'\]; expected \['SELL'",
        ),
        (lambda t: t.update(dtype="float64"), "dtype float64; expected float32"),
        (lambda t: t["features"]["names"].reverse(), "feature order: 'macd_hist' at place 1; expected 'price_change'"),
        (lambda t: t["features"]["names"].pop(), "13 features; expected 14 features"),
        (lambda t: t["features"].update(hash="0" * 64), "feature hash 0000"),
        (lambda t: t["features"].update(set="core15"), "core15"),
        (lambda t: t.pop("members"), "incomplete manifest .*members"),
        (lambda t: t["rows"].update(train=1), "altered"),
    ],
)
def test_a_manifest_that_does_not_fit_is_an_error_with_found_and_expected(copy, change, words):
    path = copy / FILE_NAME
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    with pytest.raises(BundleError, match=words):
        storage.read(copy)


def with_new_id(tree):
    """Bytes of a manifest with the id of its content, as a deliberate change would write them."""
    content = {key: value for key, value in tree.items() if key != "id"}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    tree = {"id": hashlib.sha256(text.encode()).hexdigest()[:16], **content}
    return (json.dumps(tree, indent=1, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(schema_version=5), "schema version 5; expected version 4"),
        (lambda t: t["classes"].reverse(), "class order"),
        (lambda t: t.update(dtype="float64"), "dtype float64; expected float32"),
        (lambda t: t["features"]["names"].__setitem__(2, "volume_chance"), "'volume_chance' at place 3; expected 'vol"),
        (lambda t: t["features"].update(hash="0" * 64), "feature hash 0000"),
        (lambda t: t.update(recipe="potluck"), "recipe potluck; expected vote"),
        (lambda t: t["target"].update(kind="TripleBarrier"), "target TripleBarrier"),
        (lambda t: t["files"].update({"../secret": "0" * 64}), r"the file name '\.\./secret'"),
        (lambda t: t["files"].update({"": "0" * 64}), "the file name ''"),
        (lambda t: t["files"].pop("xgboost.onnx"), r"no file 'xgboost\.onnx' of the member xgboost"),
        (lambda t: t["training_span"].update({"from": "yesterday"}), "incomplete manifest .*yesterday"),
        (lambda t: t.pop("used_until"), "incomplete manifest .*used_until"),
        (lambda t: t.update(fitted_until=t["training_span"]["to"]), "not in order in the training span"),
        (lambda t: t.update(used_until="2035-01-01T00:00:00Z"), "not in order in the training span"),
        (lambda t: t["policy"].update(floor=7.0), "incomplete manifest .*floor"),
        (lambda t: t["policy"].update(colour="red"), "incomplete manifest .*colour"),
        (lambda t: t["rows"].update(train=float("nan")), "NaN in place of a number"),
        (lambda t: t["members"][0].update(graph="lightgbm.txt"), None),
    ],
)
def test_a_changed_manifest_with_the_right_id_is_an_error_if_it_does_not_fit(copy, change, words):
    path = copy / FILE_NAME
    tree = json.loads(path.read_text())
    change(tree)
    path.write_bytes(with_new_id(tree))
    if words is None:
        # The manifest alone does not show it: the member's graph does not load, and it abstains.
        assert load_bundle(copy).status() == {"xgboost": False, "lightgbm": True}
        return
    with pytest.raises(BundleError, match=words):
        storage.read(copy)


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_in_a_manifest_is_read_or_raises_a_bundle_error(world, data):
    require_manifest_or_error(world, data)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_10_000_manifests_are_read_or_raise_a_bundle_error(world, data):
    require_manifest_or_error(world, data)


def require_manifest_or_error(world, data):
    """A manifest with a value replaced is the same after writing and reading, or an error in printable words."""
    path = world.trained.path / FILE_NAME
    tree = json.loads(path.read_text())
    place = tree
    key = data.draw(st.sampled_from(sorted(place)))
    while isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(trees)
    try:
        content = with_new_id(tree)
    except UnicodeEncodeError:
        content = json.dumps(tree).encode()
    try:
        manifest = Manifest.parse(content, path)
    except BundleError as error:
        assert str(error).isprintable()  # noqa: PT017 - a manifest may also be valid
        return
    assert Manifest.parse(manifest.with_id().text().encode(), path) == manifest.with_id()


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b'"x"', b"{}", b"\xff", b"[" * 100_000, b'{"schema_version": 4}']
)
def test_content_that_is_not_a_manifest_is_an_error(content, tmp_path):
    with pytest.raises(BundleError):
        Manifest.parse(content, tmp_path / FILE_NAME)


def test_a_missing_file_or_folder_is_named(copy, world, tmp_path):
    (copy / "xgboost.onnx").unlink()
    with pytest.raises(BundleError, match=r"xgboost\.onnx missing"):
        storage.read(copy)
    with pytest.raises(BundleError, match="no such folder"):
        storage.read(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=f"Bundles in this folder: {world.trained.path.name}"):
        storage.read(world.trained.path.parent)


def test_a_folder_that_is_not_writable_is_an_error(world, tmp_path):
    manifest, files = storage.read(world.trained.path)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BundleError, match="Nothing was published"):
        storage.publish(tmp_path / "file" / "bundles", manifest, files)


def test_a_full_disk_leaves_no_files(world, tmp_path):
    """A file size limit makes writes fail, as a full disk does."""
    code = f"""
import resource, signal
from pathlib import Path
from quorate.core.errors import BundleError
from quorate.ensemble.bundle import bundle_files as bundle
manifest, files = bundle.read(Path({str(world.trained.path)!r}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, {resource.RLIM_INFINITY}))
try:
    bundle.publish(Path({str(tmp_path)!r}), manifest, files)
except BundleError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Nothing was published" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_kill_during_publication_leaves_no_bundle(world, tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from quorate.ensemble.bundle import bundle_files as bundle
manifest, files = bundle.read(Path({str(world.trained.path)!r}))
real = os.fsync
def fsync(descriptor):
    real(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
bundle.publish(Path({str(tmp_path)!r}), manifest, files)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -9
    assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    manifest, files = storage.read(world.trained.path)
    path, _ = storage.publish(Path(tmp_path), manifest, files)
    storage.read(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["training_span"].update({"from": "1970-01-01T00:00:00Z"}), "a training span from 1970-01-01"),
        (lambda t: t["training_span"].update({"from": "2024-02-01T00:00:00Z"}), "not in order"),
        (lambda t: t["training_span"].update({"to": "2999-01-01T00:00:00Z"}), "in the future"),
        (lambda t: t.update(class_prior=[0.5, 0.5, 0.5]), "sum to 1.5"),
        (lambda t: t.update(class_prior=[-0.5, 1.0, 0.5]), "outside 0 to 1"),
        (lambda t: t.update(class_prior=[0.5, 0.5]), "2 shares instead of 3"),
        (lambda t: t["members"].append(t["members"][0]), "a member twice among xgboost, lightgbm, xgboost"),
        (lambda t: t.update(members=[]), "0 members"),
        (lambda t: t["members"][0].update(model="x\x1b[2J"), r"'x\\x1b\[2J', which has control characters"),
        (lambda t: t["members"][0].update(native=None), "one of the two files of the member xgboost"),
        (lambda t: t["members"][0].update(failure="\x07"), "control characters"),
        (lambda t: t.update(symbols=["A\x1b]0;B"]), "control characters"),
        (lambda t: t.update(symbols=[]), "symbols none"),
        (lambda t: t.update(timeframe="1y"), "incomplete manifest"),
        (lambda t: t["versions"].update({"x\r": "1"}), "control characters"),
        (lambda t: t["rows"].update(train=-1), "-1 rows of train"),
        (lambda t: t["policy"].update(quorum=float("1e400")), "Infinity in place of a number"),
    ],
)
def test_an_impossible_manifest_is_an_error_though_its_id_is_right(copy, change, words):
    path = copy / FILE_NAME
    tree = json.loads(path.read_text())
    change(tree)
    with pytest.raises(BundleError, match=words) as caught:
        Manifest.parse(with_new_id(tree), path)
    assert str(caught.value).isprintable()
