"""Columns of a user's own: how they are declared and found, and the feature sets that have them."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.core.configuration import load_settings
from quorate.core.errors import FeatureError, SettingsError
from quorate.core.settings import FeatureSettings
from quorate.features import Bars, build, feature_names, feature_set, live
from quorate.features import own as own_module
from quorate.features.catalogue import available_own, describe
from quorate.features.own import ColumnSource, feature, find_own, own_columns

HONEST = """
import numpy as np
from quorate.features.own import feature


@feature(name="gap", warmup=1)
def opening_gap(bars):
    return bars.open[1:] / bars.close[:-1] - 1


@feature(warmup=0)
def up(bars):
    return bars.close > bars.open


def distance(window):
    @feature(name=f"distance_{window}", warmup=window - 1)
    def compute(bars):
        return bars.close[window - 1 :] / bars.mean_close(window) - 1

    return compute


DISTANCES = [distance(window) for window in (12, 36)]
"""


@pytest.fixture
def write(tmp_path):
    """Write a file and return the settings that name it."""

    def _write(text: str, name: str = "my_features.py") -> FeatureSettings:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return FeatureSettings([str(path)])

    return _write


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package with entry points: its modules and its metadata in a folder that is searched for them."""
    site = tmp_path / "site"

    def install(points: dict[str, str], **modules: str) -> None:
        metadata = site / "their_columns-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-columns\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (metadata / "entry_points.txt").write_text("\n".join([f"[{own_module.ENTRY_POINTS}]", *lines, ""]))
        for name, text in modules.items():
            (site / f"{name}.py").write_text(text, encoding="utf-8")
            monkeypatch.delitem(__import__("sys").modules, name, raising=False)
        monkeypatch.syspath_prepend(site)
        own_module._entry_points.cache_clear()

    yield install
    monkeypatch.undo()
    own_module._entry_points.cache_clear()


def test_a_declared_function_is_a_column_and_can_still_be_called(make_candles):
    @feature(name="rise", warmup=1)
    def rises(bars):
        return bars.close[1:] > bars.close[:-1]

    bars = Bars(make_candles(30, 1))
    assert (rises.name, rises.warmup) == ("rise", 1)
    np.testing.assert_array_equal(rises(bars), bars.close[1:] > bars.close[:-1])


@pytest.mark.parametrize("name", ["a+b", "", "two words", "1st", "naïve", "a-b"])
def test_a_name_that_no_set_could_name_is_refused(name):
    with pytest.raises(FeatureError, match="letters, digits and underscores"):
        feature(name=name, warmup=0)(lambda bars: bars.close)


@pytest.mark.parametrize("warmup", [-1, 379, 2.0, True, "20", None])
def test_a_warm_up_that_a_live_frame_lacks_is_refused(warmup):
    with pytest.raises(FeatureError, match="whole bars, 0 to 378"):
        feature(name="x", warmup=warmup)(lambda bars: bars.close)


def test_a_file_gives_the_columns_that_it_declares(write, tmp_path):
    found = own_columns(write(HONEST))
    assert [column.source.name for column in found] == ["gap", "up", "distance_12", "distance_36"]
    assert {column.source.module for column in found} == {"my_features.py"}
    assert len({column.source.digest for column in found}) == 1
    # What a file imports is declared elsewhere.
    (tmp_path / "other.py").write_text(
        f"import sys\nsys.path.append({str(tmp_path)!r})\nfrom my_features import opening_gap\n", encoding="utf-8"
    )
    assert own_columns(FeatureSettings([str(tmp_path / "other.py")])) == ()


def test_a_set_names_own_columns_after_a_plus(write, make_candles):
    candles = make_candles(600, 3)
    wanted = feature_set("core14+gap+distance_36", write(HONEST))
    assert wanted.names == (*feature_names("core14"), "gap", "distance_36")
    assert (wanted.warmup, wanted.context) == (49, False)
    assert [source.name for source in wanted.own] == ["gap", "distance_36"]
    X = build(candles, wanted)
    assert X.shape == (600, 16)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X[:, :14], build(candles, "core14"))
    gap = np.concatenate([[np.nan], candles.open[1:] / candles.close[:-1] - 1]).astype(np.float32)
    np.testing.assert_array_equal(X[:, 14], gap)
    np.testing.assert_array_equal(np.isnan(X[:, 15]), np.arange(600) < 35)
    np.testing.assert_array_equal(build(candles, wanted, newest=5), X[-5:])
    ((rows, _),) = live([Bars(candles)], wanted, 2)
    np.testing.assert_array_equal(rows, X[-2:])


def test_a_set_may_name_further_columns_of_the_catalogue(make_candles):
    wanted = feature_set("core14+obv+adx")
    assert wanted.own == ()
    full = build(make_candles(300, 2), "full65")
    places = [feature_names("full65").index(name) for name in ("obv", "adx")]
    np.testing.assert_array_equal(build(make_candles(300, 2), wanted)[:, 14:], full[:, places])


def test_the_hash_follows_names_warm_up_and_source(write):
    settings = write(HONEST)
    hashes = [
        feature_set("core14").hash,
        feature_set("core14+gap", settings).hash,
        feature_set("core14+gap+up", settings).hash,
        feature_set("core14+up+gap", settings).hash,
        feature_set("core14+gap", write(HONEST + "# another text\n", "edited.py")).hash,
    ]
    assert len(set(hashes)) == len(hashes)
    # The file's name and place do not matter, and neither do files that a set does not need.
    assert feature_set("core14+gap", write(HONEST, "moved.py")).hash == hashes[1]
    assert feature_set("core14", settings).hash == hashes[0]


def test_a_description_has_the_hash_of_the_code(write):
    wanted = feature_set("core14+gap+obv", write(HONEST))
    assert describe(wanted.name, wanted.own) == (wanted.names, wanted.hash)
    with pytest.raises(FeatureError, match="the column 'gap' neither"):
        describe(wanted.name, ())
    assert describe("core14", ()) == (feature_names("core14"), feature_set("core14").hash)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("core24+gap", ["core14 or core30 or full65 or extended", "Did you mean 'core14'?"]),
        ("core14+gapp", ["feature set 'core14+gapp'", "the column 'gapp' neither", "Did you mean 'gap'?"]),
        ("core14+unheard", ["distance_12, distance_36, gap, up", "modules = ["]),
        ("core14+", ["column ''"]),
        ("core14+gap+gap", ["the column 'gap' twice"]),
        ("core14+macd", ["the column 'macd' twice"]),
    ],
)
def test_a_set_that_cannot_be_is_refused(write, name, words):
    with pytest.raises(FeatureError) as refused:
        feature_set(name, write(HONEST))
    for word in words:
        assert word in str(refused.value)


def test_files_are_read_only_for_a_set_that_names_columns(tmp_path):
    missing = FeatureSettings([str(tmp_path / "missing.py")])
    assert feature_set("full65", missing).names == feature_names("full65")
    with pytest.raises(SettingsError, match=r"missing\.py"):
        feature_set("core14+gap", missing)


def test_a_name_of_the_catalogue_is_not_free(write):
    settings = write("from quorate.features.own import feature\n@feature(warmup=0)\ndef obv(bars): return bars.close\n")
    for attempt in (lambda: feature_set("core14+obv", settings), lambda: available_own(settings)):
        with pytest.raises(FeatureError, match=r"'obv' of my_features\.py.*in the catalogue"):
            attempt()


def test_a_name_in_two_files_is_refused(write):
    first, second = write(HONEST), write(HONEST, "twin.py")
    with pytest.raises(FeatureError, match=r"it in my_features\.py and in twin\.py"):
        find_own("gap", FeatureSettings((*first.modules, *second.modules)))


def test_a_package_names_its_columns_by_entry_points(installed, make_candles):
    installed({"gap": "their_columns.prices:opening_gap"}, their_columns_unused="")
    # A package with a module inside, as entry points usually name them.
    import sys
    from pathlib import Path

    package = Path(sys.path[0]) / "their_columns"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "prices.py").write_text(HONEST)
    found = find_own("gap", FeatureSettings())
    assert found.source.module == "their_columns.prices"
    assert found.source == own_columns(FeatureSettings())[0].source
    X = build(make_candles(100, 1), feature_set("core14+gap"))
    assert np.isfinite(X[49:]).all()
    assert feature_set("core14+gap").own == (found.source,)
    feature_set.cache_clear()  # the package is gone after this test


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("their_module:nothing", ["AttributeError", "nothing"]),
        ("no_such_module:gap", ["ModuleNotFoundError", "no_such_module"]),
        ("their_module:plain", ["@quorate.feature(name='gap'"]),
        ("their_module:up", ["the column 'up'", "@quorate.feature(name='gap'"]),
    ],
)
def test_an_entry_point_that_names_no_such_column_is_refused(installed, value, words):
    installed({"gap": value}, their_module=HONEST + "\n\ndef plain(bars):\n    return bars.close\n")
    with pytest.raises(FeatureError) as refused:
        find_own("gap", FeatureSettings())
    for word in ("'gap'", *words):
        assert word in str(refused.value)


def test_files_are_counted_from_the_folder_of_the_settings_file(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "my_features.py").write_text(HONEST)
    (folder / "quorate.toml").write_text(
        '[features]\nmodules = ["my_features.py"]\n\n[train]\nfeatures = "core14+gap"\n'
    )
    monkeypatch.chdir(tmp_path)
    settings = load_settings(folder / "quorate.toml", {})
    assert settings.features.modules == (str(folder / "my_features.py"),)
    assert feature_set(settings.train.features, settings.features).names[-1] == "gap"
    # From the environment a path counts from the working folder, as any path on a command line does.
    named = load_settings(environment={"QUORATE_FEATURES__MODULES": '["project/my_features.py"]'})
    assert find_own("gap", named.features) is not None


def test_one_path_instead_of_a_list_is_refused():
    with pytest.raises(SettingsError, match=r"features\.modules.*a list of files"):
        FeatureSettings("my_features.py")


def test_sources_are_compared_by_value():
    assert ColumnSource("gap", 1, "a.py", "0f") == ColumnSource("gap", 1, "a.py", "0f")
    assert ColumnSource("gap", 1, "a.py", "0f") != ColumnSource("gap", 1, "a.py", "10")
