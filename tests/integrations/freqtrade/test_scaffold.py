"""Files that `scaffold` writes into Freqtrade's user_data."""

import ast
import json
from pathlib import Path

import pytest

import quorate
from quorate.core.errors import BundleError, FreqtradeError, SettingsError
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
    "config-quorate-add.json",
]


def statuses(files):
    return [file.status for file in files]


def test_files_are_written_once_and_edited_files_are_kept(tmp_path):
    files = scaffold(tmp_path)
    assert [str(one.path.relative_to(tmp_path)) for one in files] == FILES
    assert set(statuses(files)) == {"written"}
    assert set(statuses(scaffold(tmp_path))) == {"unchanged"}, "also the passwords of the server"
    edited = tmp_path / FILES[0]
    edited.write_text(edited.read_text() + "    custom_leverage = 3\n")
    assert statuses(scaffold(tmp_path)) == ["left"] + ["unchanged"] * 8
    assert statuses(scaffold(tmp_path, force=True)) == ["left"] + ["unchanged"] * 8, "nothing of ours is missing in it"
    assert "custom_leverage" in edited.read_text()


def test_force_sets_our_keys_alone_and_keeps_a_copy(world, tmp_path):
    scaffold(tmp_path)
    config, strategy = tmp_path / "config-quorate-futures.json", tmp_path / FILES[0]
    mine = """{  // mine
    "strategy": "Mine", "timeframe": "15m", /* of the bundle before */
    "exchange": {"name": "okx", "key": "K", "secret": "S", "pair_whitelist": ["DOGE/USDT:USDT"],},
    "api_server": {"enabled": true, "password": "P"},
    "quorate": {"bundle": "elsewhere", "leverage": 2}  // least
}
"""
    config.write_text(mine)
    config.chmod(0o600)
    strategy.write_text(strategy.read_text().replace('"1h"', '"15m"  # mine') + "    can_short = False\n")
    before = strategy.read_text()
    found = {one.path.name: one for one in scaffold(tmp_path, world.bundles, force=True) if one.status == "updated"}
    assert found[config.name].keys == ("quorate.bundle", "timeframe")
    assert config.read_text() == mine.replace('"15m"', '"1h"').replace('"elsewhere"', f'"{world.bundles}"')
    copy = found[config.name].backup
    assert (copy.name, copy.read_text()) == ("config-quorate-futures.json.bak", mine)
    assert copy.stat().st_mode & 0o777 == config.stat().st_mode & 0o777 == 0o600
    assert strategy.read_text() == before.replace('"15m"', '"1h"')
    config.write_text("{}")
    again = {one.path.name: one for one in scaffold(tmp_path, world.bundles, force=True)}[config.name]
    assert again.backup.name == "config-quorate-futures.json.bak2"
    assert set(json.loads(config.read_text())) == {"strategy", "timeframe", "api_server", "quorate"}
    config.write_text('{"strategy": "A",\n "timeframe" }')
    with pytest.raises(SettingsError, match=r"config-quorate-futures.json: found line 2, column 14"):
        scaffold(tmp_path, world.bundles, force=True)
    assert config.read_text() == '{"strategy": "A",\n "timeframe" }'


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
    add = configs.pop("config-quorate-add.json")
    pricing = {"price_side": "other"}
    assert add == {
        "strategy": "QuorateVoteStrategy",
        "timeframe": "1h",
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "quorate": {"bundle": futures["quorate"]["bundle"]},
    }
    for config in configs.values():
        server = config["api_server"]
        assert (server["enabled"], len(server["jwt_secret_key"]) >= 32) == (False, True)
        assert server["password"]
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
