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


def deeds(placed):
    return [one.deed for one in placed]


def test_files_are_written_once_and_edits_stay(tmp_path):
    placed = scaffold(tmp_path)
    assert [str(one.path.relative_to(tmp_path)) for one in placed] == FILES
    assert set(deeds(placed)) == {"written"}
    assert set(deeds(scaffold(tmp_path))) == {"unchanged"}
    mine = tmp_path / FILES[0]
    mine.write_text(mine.read_text() + "    leverage_of_mine = 3\n")
    again = scaffold(tmp_path)
    assert deeds(again) == ["left"] + ["unchanged"] * 7
    assert "leverage_of_mine" in mine.read_text()
    assert deeds(scaffold(tmp_path, force=True)) == ["overwritten"] + ["unchanged"] * 7
    assert "leverage_of_mine" not in mine.read_text()


def test_every_class_is_defined_in_its_file_and_comes_from_a_module_that_there_is(tmp_path):
    for one in scaffold(tmp_path)[:4]:
        tree = ast.parse(one.path.read_text())
        (made,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        (imported,) = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert made.name == one.path.stem == imported.names[0].name
        source = imported.module.replace(".", "/") + ".py"
        assert f"class {made.name}(" in (SOURCES / source).read_text()


def test_a_bundle_gives_pairs_and_timeframe_and_lies_where_the_configuration_says(world):
    placed = scaffold(world.user_data, world.bundles)
    told = {one.path.name: json.loads(one.path.read_text()) for one in placed if one.path.suffix == ".json"}
    futures, spot = told["config-quorate-futures.json"], told["config-quorate-spot.json"]
    assert futures["exchange"]["pair_whitelist"] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert spot["exchange"]["pair_whitelist"] == ["BTC/USDT", "ETH/USDT"]
    assert (futures["timeframe"], futures["trading_mode"], futures["margin_mode"]) == ("1h", "futures", "isolated")
    assert (spot["trading_mode"], spot["margin_mode"]) == ("spot", "")
    # The bundle knows perpetuals: in spot markets it trades because the user chose that configuration.
    assert (futures["quorate"].get("unseen_pairs"), spot["quorate"]["unseen_pairs"]) == (None, True)
    for config in told.values():
        options = read_options({**config, "user_data_dir": world.user_data})
        assert config["dry_run"] is True
        if config["strategy"] == "QuorateVoteStrategy":
            assert options.path(options.own.bundle) == world.bundles


def test_no_folder_and_no_bundle_are_said(tmp_path):
    with pytest.raises(FreqtradeError, match="create-userdir"):
        scaffold(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="no such folder"):
        scaffold(tmp_path, tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())
