"""Files that `scaffold` writes into Freqtrade's user_data."""

import ast
import json
from pathlib import Path

import pytest

import quorate
from quorate.core.errors import BundleError, FreqtradeError
from quorate.integrations.freqtrade import read_options
from quorate.integrations.freqtrade.scaffold import scaffold

SOURCES = Path(quorate.__file__).parents[1]

FILES = [
    "strategies/QuorateVoteStrategy.py",
    "strategies/QuorateHybridStrategy.py",
    "strategies/QuorateFreqaiStrategy.py",
    "freqaimodels/QuorateFreqaiModel.py",
    "config-quorate-futures.json",
    "config-quorate-spot.json",
    "config-quorate-hybrid.json",
    "config-quorate-freqai.json",
]


def statuses(files):
    return [file.status for file in files]


def test_files_are_written_once_and_edited_files_are_kept(tmp_path):
    files = scaffold(tmp_path)
    assert [str(one.path.relative_to(tmp_path)) for one in files] == FILES
    assert set(statuses(files)) == {"written"}
    assert set(statuses(scaffold(tmp_path))) == {"unchanged"}
    edited = tmp_path / FILES[0]
    edited.write_text(edited.read_text() + "    custom_leverage = 3\n")
    again = scaffold(tmp_path)
    assert statuses(again) == ["left"] + ["unchanged"] * 7
    assert "custom_leverage" in edited.read_text()
    assert statuses(scaffold(tmp_path, force=True)) == ["overwritten"] + ["unchanged"] * 7
    assert "custom_leverage" not in edited.read_text()


def test_every_class_is_defined_in_its_file_and_its_base_exists(tmp_path):
    for file in scaffold(tmp_path)[:4]:
        tree = ast.parse(file.path.read_text())
        (defined,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        (imported,) = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert defined.name == file.path.stem == imported.names[0].name
        source = imported.module.replace(".", "/") + ".py"
        assert f"class {defined.name}(" in (SOURCES / source).read_text()


def test_configurations_get_path_pairs_and_timeframe_of_the_bundle(world):
    files = scaffold(world.user_data, world.bundles)
    configs = {file.path.name: json.loads(file.path.read_text()) for file in files if file.path.suffix == ".json"}
    futures, spot = configs["config-quorate-futures.json"], configs["config-quorate-spot.json"]
    assert futures["exchange"]["pair_whitelist"] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert spot["exchange"]["pair_whitelist"] == ["BTC/USDT", "ETH/USDT"]
    assert (futures["timeframe"], futures["trading_mode"], futures["margin_mode"]) == ("1h", "futures", "isolated")
    assert (spot["trading_mode"], spot["margin_mode"]) == ("spot", "")
    # The bundle was trained on perpetuals; the configuration for spot markets allows unseen pairs.
    assert (futures["quorate"].get("unseen_pairs"), spot["quorate"]["unseen_pairs"]) == (None, True)
    for config in configs.values():
        options = read_options({**config, "user_data_dir": world.user_data})
        assert config["dry_run"] is True
        if config["strategy"] == "QuorateVoteStrategy":
            assert options.path(options.freqtrade.bundle) == world.bundles


def test_a_missing_folder_and_a_missing_bundle_are_refused(tmp_path):
    with pytest.raises(FreqtradeError, match="create-userdir"):
        scaffold(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="no such folder"):
        scaffold(tmp_path, tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())
