"""The strategies in real Freqtrade, offline against a stub of Binance."""

import csv
import itertools
import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from integrations.freqtrade.conftest import World, make_world, train_stack, train_trees
from quorate import load_bundle
from quorate.core.clock import parse_ms, timeframe_ms
from quorate.core.configuration import load_settings
from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.core.types import Action
from quorate.evaluation.drift import write_check
from quorate.features import feature_names
from quorate.integrations.freqtrade.scaffold import scaffold
from quorate.llm import RoleReply
from quorate.llm.judging_panel import JudgingPanel
from quorate.llm.panel_frame import panel_frames
from quorate.llm.prompts import prompt_of
from quorate.llm.recordings import RecordedPanel, Recording, RecordingKey, RecordingStore
from quorate.llm.strength import Strength
from stubs import freqtrade
from stubs.binance import spawn
from stubs.drift_checks import DRIFTING

# Seconds; generous, since Freqtrade is slow on a busy machine.
TIMEOUT = 240

# Three weeks from inside the training span on, with the start-up candles before them.
SPAN = "20240127-20240220"


@dataclass(frozen=True)
class Bot:
    """Freqtrade with the user_data of one world and the configuration of the stub."""

    world: World
    offline: Path

    def run(self, *arguments, config="config-quorate-futures.json", settings=None, section=None):
        """Run a command of Freqtrade, its log in `stderr`; `section` is added to the section "quorate"."""
        configs = [self.world.user_data / config, self.offline]
        if section is not None:
            extra = self.offline.with_name("section.json")
            extra.write_text(json.dumps({"quorate": section}))
            configs.append(extra)
        flags = [word for path in configs for word in ("-c", path)]
        return freqtrade.run(
            *arguments, "--userdir", self.world.user_data, *flags,
            cwd=self.world.user_data, settings=settings, timeout=TIMEOUT,
        )  # fmt: skip

    def backtest(self, *arguments, **more):
        """The trades of a backtest and its log."""
        folder = self.world.user_data / "backtest_results"
        shutil.rmtree(folder, ignore_errors=True)
        span = () if "--timerange" in arguments else ("--timerange", SPAN)
        done = self.run("backtesting", "--cache", "none", "--export", "trades", *span, *arguments, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return freqtrade.exported_trades(folder), flat(done)


def flat(done):
    """The log on one line, since Freqtrade wraps it."""
    return re.sub(r"\s+", " ", done.stdout + done.stderr)


def make_bot(world, folder):
    offline = folder / "offline.json"

    class Started:
        def __enter__(self):
            freqtrade.require()
            scaffold(world.user_data, world.bundles)
            self._stub = spawn(world.data)
            urls = self._stub.__enter__().urls
            exchange = {k: v for k, v in freqtrade.offline(urls).items() if not k.startswith("pair_")}
            offline.write_text(json.dumps({"exchange": exchange}))
            return Bot(world, offline)

        def __exit__(self, *exception):
            self._stub.__exit__(*exception)

    return Started()


@pytest.fixture(scope="session")
def bot(world, tmp_path_factory):
    with make_bot(world, tmp_path_factory.mktemp("bot")) as started:
        yield started


@pytest.fixture(scope="session")
def futures(bot):
    return bot.backtest()


def decided(world, pair, opened, timeframe="1h"):
    """The bundle's decision on the bar before the open at which a trade began: -1, 0 or 1."""
    frame = load_bundle(world.bundle).predict_frame(world.panel[pair])
    return int(frame.action[np.searchsorted(frame.time, opened) - 1]) - 1


def test_futures_trades_follow_the_bundles_decisions_with_leverage_and_funding(bot, futures):
    trades, log = futures
    assert len(trades) > 50
    sides = Counter(trade["is_short"] for trade in trades)
    assert min(sides.values()) > 10
    assert len(sides) == 2
    decisions = {pair: load_bundle(bot.world.bundle).predict_frame(bot.world.panel[pair]) for pair in bot.world.panel}
    for trade in trades:
        frame = decisions[trade["pair"]]
        row = int(np.searchsorted(frame.time, trade["open_timestamp"])) - 1
        assert frame.time[row] == trade["open_timestamp"] - 3_600_000
        assert int(frame.action[row]) - 1 == (-1 if trade["is_short"] else 1)
        assert 1 <= trade["leverage"] <= 5
        assert trade["enter_tag"].startswith(f"{frame.consensus[row]} | xgb:")
        assert len(trade["enter_tag"]) <= 255
    assert {trade["leverage"] for trade in trades} - {1.0}
    assert sum(trade["funding_fees"] != 0 for trade in trades) > len(trades) / 4
    assert {trade["exit_reason"] for trade in trades} <= {"time", "roi", "stop_loss", "stop", "target", "force_exit"}
    assert {"time", "roi", "stop_loss"} <= {trade["exit_reason"] for trade in trades}
    assert max(trade["trade_duration"] for trade in trades) == 300
    assert min(trade["open_timestamp"] for trade in trades) >= bot.world.train_end
    assert log.count("was trained on") == 1
    assert "Traceback" not in log


def test_every_stop_is_within_half_the_distance_to_the_liquidation(bot, futures):
    """Freqtrade does not export the liquidation price; its distance is at most 1 / leverage of the entry price."""
    for trade in futures[0]:
        distance = abs(trade["stop_loss_abs"] - trade["open_rate"]) / trade["open_rate"]
        assert distance <= (1 / trade["leverage"]) / 2
        assert distance > 0


def test_targets_and_stops_are_in_atr(bot, futures):
    for trade in futures[0]:
        if trade["exit_reason"] == "roi":
            stop = abs(trade["stop_loss_abs"] - trade["open_rate"])
            target = abs(trade["close_rate"] - trade["open_rate"])
            # At the target, or at an open beyond it.
            assert target >= 2.5 * stop - 2e-3


def test_spot_has_no_shorts_and_a_sell_closes_the_position(bot):
    trades, _ = bot.backtest(
        config="config-quorate-spot.json", settings={"QUORATE_EXITS__TIME_BARS": "48", "QUORATE_EXITS__STOP_ATR": "12"}
    )
    assert len(trades) > 10
    assert not any(trade["is_short"] for trade in trades)
    assert {trade["leverage"] for trade in trades} == {1.0}
    closed = [trade for trade in trades if trade["exit_reason"] == "exit_signal"]
    assert len(closed) >= 3
    for trade in closed:
        assert decided(bot.world, f"{trade['pair']}:USDT", trade["close_timestamp"]) == -1


def test_hyperopts_parameters_set_the_threshold_of_each_side(bot):
    parameters = bot.world.user_data / "strategies" / "QuorateVoteStrategy.json"
    parameters.write_text(
        json.dumps(
            {
                "strategy_name": "QuorateVoteStrategy",
                "params": {"buy": {"long_confidence": 0.84}, "sell": {"short_confidence": 0.95}},
                "ft_stratparam_v": 1,
                "export_time": str(datetime.now(UTC)),
            }
        )
    )
    try:
        trades, _ = bot.backtest()
    finally:
        parameters.unlink()
    assert trades
    assert not any(trade["is_short"] for trade in trades)
    for trade in trades:
        frame = load_bundle(bot.world.bundle).predict_frame(bot.world.panel[trade["pair"]])
        assert frame.confidence[np.searchsorted(frame.time, trade["open_timestamp"]) - 1] >= 0.8399


def test_guards_stop_a_backtest_and_cached_predictions_are_used(bot, futures):
    unguarded = futures[0]
    cached = {path: path.stat().st_mtime_ns for path in (bot.world.user_data / "quorate" / "cache").glob("*.npz")}
    assert cached
    lost = sorted(trade["close_timestamp"] for trade in unguarded if trade["profit_abs"] < 0)
    section = {"guards": "always"}
    limits = {"QUORATE_GUARDS__LOSSES": "1", "QUORATE_GUARDS__LOSS_USD": "0", "QUORATE_GUARDS__MODELS": "2"}
    trades, log = bot.backtest(section=section, settings=limits)
    assert 0 < len(trades) < len(unguarded)
    losing = min(trade["close_timestamp"] for trade in trades if trade["profit_abs"] < 0)
    assert losing == lost[0]
    assert max(trade["open_timestamp"] for trade in trades) <= losing
    assert "no entry in" in log
    assert "losses: the last 1 closed trades" in log
    assert cached == {path: path.stat().st_mtime_ns for path in cached}


def test_stakes_by_confidence_and_freqtrades_protections(bot):
    strategy = bot.world.user_data / "strategies" / "Protected.py"
    strategy.write_text(
        "from quorate.integrations.freqtrade.strategies.vote_strategy import QuorateVoteStrategy as Base\n\n\n"
        "class Protected(Base):\n"
        "    @property\n"
        "    def protections(self):\n"
        "        return [{'method': 'CooldownPeriod', 'stop_duration_candles': 12}]\n"
    )
    trades, _ = bot.backtest(
        "--strategy", "Protected", "--enable-protections", "--stake-amount", "100", section={"stake": "confidence"}
    )
    assert trades
    for trade in trades:
        frame = load_bundle(bot.world.bundle).predict_frame(bot.world.panel[trade["pair"]])
        confidence = frame.confidence[np.searchsorted(frame.time, trade["open_timestamp"]) - 1]
        assert trade["stake_amount"] == pytest.approx(100 * confidence, rel=0.02)
    for pair in bot.world.panel:
        spans = sorted((t["open_timestamp"], t["close_timestamp"]) for t in trades if t["pair"] == pair)
        assert all(later[0] - earlier[1] >= 11 * 3_600_000 for earlier, later in itertools.pairwise(spans))


def test_stakes_shrink_from_an_alarm_of_drift_on(bot):
    bundle, seen = load_bundle(bot.world.bundle), parse_ms("2024-02-10")
    path = write_check(bundle.folder, replace(DRIFTING, bundle=bundle.id, end=seen))
    try:
        shrink = {"QUORATE_DRIFT__ACTION": "shrink"}
        trades, log = bot.backtest("--stake-amount", "100", settings=shrink, section={"stake": "config"})
    finally:
        path.unlink()  # other tests trade the same bundle
    expected = [50 if trade["open_timestamp"] >= seen else 100 for trade in trades]
    assert set(expected) == {50, 100}
    assert [trade["stake_amount"] for trade in trades] == pytest.approx(expected, rel=0.02)
    assert f"from 100 % to 50 % of the ordinary ones: bundle {bundle.id} DRIFTING since" in log


def test_a_start_without_a_bundle_is_refused(bot):
    done = bot.run("backtesting", "--cache", "none", section={"bundle": "quorate/nowhere"})
    log = flat(done)
    assert done.returncode != 0
    assert "no such folder" in log
    assert "quorate train --out" in log


def test_a_market_of_another_kind_gives_no_entries_and_freqtrade_keeps_running(bot):
    trades, log = bot.backtest(config="config-quorate-spot.json", section={"unseen_pairs": False})
    assert trades == []
    assert "found a spot market" in log


def test_lookahead_analysis_finds_no_bias(bot, tmp_path):
    exported = tmp_path / "lookahead.csv"
    done = bot.run(
        "lookahead-analysis", "--strategy", "QuorateVoteStrategy", "--timerange", "20240201-20240220",
        "--targeted-trade-amount", "12", "--minimum-trade-amount", "10", "--lookahead-analysis-exportfilename",
        exported,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "too few trades" not in done.stdout + done.stderr
    (row,) = csv.DictReader(exported.read_text().splitlines())
    assert row["has_bias"] == "False"
    assert int(row["total_signals"]) >= 10
    assert (row["biased_entry_signals"], row["biased_exit_signals"], row["biased_indicators"]) == ("0", "0", "")


def test_lookahead_analysis_finds_the_bias_of_a_leaking_strategy(bot, tmp_path):
    """The same command on the same candles, with a leak in the strategy."""
    (bot.world.user_data / "strategies" / "Leaky.py").write_text(
        "from quorate.integrations.freqtrade.strategies.vote_strategy import QuorateVoteStrategy as Base\n\n\n"
        "class Leaky(Base):\n"
        "    def populate_entry_trend(self, dataframe, metadata):\n"
        "        dataframe = super().populate_entry_trend(dataframe, metadata)\n"
        "        ahead = dataframe['close'].shift(-2) > dataframe['close'] * 1.001\n"
        "        dataframe['enter_long'] = (ahead & (dataframe['quorate_action'] != 0)).astype(int)\n"
        "        dataframe['enter_short'] = 0\n"
        "        return dataframe\n"
    )
    exported = tmp_path / "leaky.csv"
    bot.run(
        "lookahead-analysis", "--strategy", "Leaky", "--timerange", "20240201-20240220", "--targeted-trade-amount", "5",
        "--minimum-trade-amount", "3", "--lookahead-analysis-exportfilename", exported,
    )  # fmt: skip
    (row,) = csv.DictReader(exported.read_text().splitlines())
    assert row["has_bias"] == "True"


def test_recursive_analysis_finds_no_variance_at_the_strategys_start_up(bot):
    done = bot.run(
        "recursive-analysis", "--strategy", "QuorateVoteStrategy", "--timerange", "20240210-20240301",
        "-p", "BTC/USDT:USDT", settings={"COLUMNS": "200"},
    )  # fmt: skip
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    assert "No lookahead bias on indicators found" in log
    assert "found lookahead in indicator" not in log
    # The table has a row for each indicator with variance and a column for each length of the start-up.
    rows = [line for line in log.splitlines() if re.match(r"^[│|]\s*(quorate_|enter|exit)", line)]
    head = next((line for line in log.splitlines() if "(from strategy)" in line), None)
    assert "No variance" in log or head is not None
    for line in rows:
        cells = [cell.strip() for cell in re.split("[│┃|]", line)[1:-1]]
        names = [cell.strip() for cell in re.split("[│┃|]", head)[1:-1]]
        first = names.index("498 (from strategy)")
        assert all(cell in ("-", "0.000%") for cell in cells[first:]), line


def test_the_strategy_loads_no_training_library(bot):
    code = (
        "import sys\n"
        "from quorate.integrations.freqtrade.strategies import hybrid_strategy, vote_strategy\n"
        f"from quorate import load_bundle; load_bundle({str(bot.world.bundle)!r})\n"
        "print([name for name in ('torch', 'xgboost', 'lightgbm', 'sklearn', 'onnx') if name in sys.modules])\n"
    )
    python = freqtrade.require() / "bin" / "python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("timeframe", ["5m", "15m"])
def test_shorter_timeframes(tmp_path, timeframe):
    freqtrade.require()
    world = make_world(tmp_path / "user_data", timeframe, bars=1_500)
    with make_bot(world, tmp_path) as started:
        trades, _ = started.backtest("--timerange", "20240101-")
    assert len(trades) > 20
    length = timeframe_ms(timeframe)
    assert max(trade["trade_duration"] for trade in trades) == 5 * length / 60_000
    assert min(trade["open_timestamp"] for trade in trades) >= world.train_end


def test_the_hybrid_strategy_trades_a_stack_on_4h_bars(tmp_path):
    freqtrade.require()
    world = make_world(tmp_path / "user_data", "4h", bars=1_500)
    trained = train_stack(world)
    with make_bot(world, tmp_path) as started:
        scaffold(world.user_data, trained.path.parent, force=True)
        fixed, stake = {"FREQTRADE__STAKE_AMOUNT": "100"}, {"stake": "config"}
        asked = {"config": "config-quorate-hybrid.json", "section": stake}
        trades, _ = started.backtest("--timerange", "20240101-", settings=fixed, **asked)
        llm, judged = record_panel(world, trained.path)
        with_panel, _ = started.backtest("--timerange", "20240101-", settings={**fixed, **llm}, **asked)
        refused = started.run(
            "backtesting", config="config-quorate-hybrid.json", section={"bundle": str(world.bundles)}
        )
    assert len(trades) > 10
    frame = load_bundle(trained.path).predict_frame(world.panel["BTC/USDT:USDT"])
    for trade in [trade for trade in trades if trade["pair"] == "BTC/USDT:USDT"]:
        row = int(np.searchsorted(frame.time, trade["open_timestamp"])) - 1
        assert int(frame.action[row]) - 1 == (-1 if trade["is_short"] else 1)
        assert f"together:{frame.predicted[row]:+.2%}" in trade["enter_tag"]
        assert trade["open_timestamp"] >= trained.manifest.training_end
    assert max(trade["trade_duration"] for trade in trades) == trained.manifest.horizon * 240
    assert refused.returncode != 0
    assert "found the recipe 'vote'; expected 'stack'" in flat(refused)
    ordinary = {(trade["pair"], trade["open_timestamp"]): trade for trade in trades}
    both = 0
    for trade in with_panel:
        key = trade["pair"], trade["open_timestamp"]
        share, strength = judged[key]
        assert 0 < share <= 0.75
        assert trade["enter_tag"].startswith("VERY_STRONG | ") == (strength == "VERY_STRONG")
        if key in ordinary:
            both += 1
            assert trade["is_short"] == ordinary[key]["is_short"]
            # Both are whole lots.
            assert trade["stake_amount"] == pytest.approx(share * ordinary[key]["stake_amount"], rel=0.05)
            assert trade["enter_tag"].removeprefix("VERY_STRONG | ") == ordinary[key]["enter_tag"]
    assert both > 3
    assert any(judged[key][0] == 0 for key in ordinary)


def record_panel(world, bundle):
    """Recorded replies on the entries of a stack: settings that read them, and (pair, fill) -> share and strength."""
    folder, cutoff, random = world.user_data / "recordings", "2020-01-01", np.random.default_rng(4)
    provider = ProviderSettings(url="http://127.0.0.1:1/v1", model="m", name="local", cutoff=cutoff)
    llm = LLMSettings(technical=provider, risk=provider, recordings=str(folder))
    frames, length = {}, timeframe_ms("4h")
    for pair, candles in world.panel.items():
        frame = load_bundle(bundle).predict_frame(candles, allow_training_span=False)
        frames[pair] = frame
        for row in np.flatnonzero(frame.action != Action.HOLD).tolist():
            time = int(frame.time[row])
            bars = candles.between(end=time + 1)
            for role in ("technical", "risk") if len(bars) > 300 and random.random() < 0.8 else ():
                direction = Action(int(frame.action[row])) if random.random() < 0.8 else Action.HOLD
                reply = RoleReply(role, "local", "m", direction, float(random.uniform(0.55, 1.0)))
                key = RecordingKey("local", "m", prompt_of(role, pair, "4h", bars).digest, time + length)
                asked = time + 10_000 * length
                RecordingStore(folder).put(Recording(key, role, pair, "4h", "{}", reply, asked, parse_ms(cutoff)))
    panel = JudgingPanel(RecordedPanel(llm))
    judged = {}
    for pair, found in panel_frames(panel, frames, world.panel).items():
        for row, strength in zip(found.row.tolist(), found.strength.tolist(), strict=True):
            filled = int(frames[pair].time[row]) + length
            judged[pair, filled] = float(found.share[row]), Strength(strength).name
    named = {"URL": provider.url, "MODEL": "m", "NAME": "local", "CUTOFF": cutoff}
    settings = {f"QUORATE_LLM__{role}__{name}": text for role in ("TECHNICAL", "RISK") for name, text in named.items()}
    return {**settings, "QUORATE_LLM__RECORDINGS": "recordings"}, judged


def own_column(folder):
    """A settings file beside the file with a column that it names."""
    function = "def gap(bars):\n    return bars.open[1:] / bars.close[:-1] - 1\n"
    (folder / "my_features.py").write_text(f"import quorate\n\n\n@quorate.feature(warmup=1)\n{function}")
    (folder / "quorate.toml").write_text('[features]\nmodules = ["my_features.py"]\n')
    return folder / "quorate.toml"


def test_a_bundle_with_own_columns_trades_where_quorate_toml_names_their_file(bot, tmp_path):
    config = own_column(tmp_path)
    own = load_settings(config, {}).features
    trained = train_trees(
        bot.world.panel, "1h", tmp_path / "bundles", bot.world.train_end, features="core14+gap", own=own
    )
    section = {"bundle": str(trained.path)}
    trades, _ = bot.backtest(section=section, settings={"QUORATE_CONFIG": str(config)})
    assert len(trades) > 20
    bundle = load_bundle(trained.path, features=own)
    for trade in trades:
        frame = bundle.predict_frame(bot.world.panel[trade["pair"]])
        row = int(np.searchsorted(frame.time, trade["open_timestamp"])) - 1
        assert int(frame.action[row]) - 1 == (-1 if trade["is_short"] else 1)
    refused = bot.run("backtesting", "--timerange", SPAN, section=section)
    assert refused.returncode != 0
    assert "found no column gap; expected the columns that the bundle was trained on: gap of my_features.py" in flat(
        refused
    )


def test_before_freqais_first_model_every_bar_is_hold(bot):
    """Live, FreqAI then adds only the label and `do_predict`, both 0."""
    code = (
        "import numpy as np\n"
        "from quorate import load_candles\n"
        "from quorate.integrations.freqtrade.frames import read_frame\n"
        "from quorate.integrations.freqtrade.strategies.freqai_strategy import QuorateFreqaiStrategy as Strategy\n"
        f"frame = load_candles({str(bot.world.data)!r}, 'BTC/USDT:USDT', '1h').to_pandas()\n"
        "frame['&s-action'], frame['do_predict'] = 0, 0\n"
        "decisions = Strategy._read_predictions(None, frame, read_frame(frame, 'BTC/USDT:USDT', '1h')).decisions\n"
        "print(set(decisions.action.tolist()), np.isnan(decisions.scores['together']).all())\n"
    )
    python = freqtrade.require() / "bin" / "python"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "{1} True"


def test_freqai_trains_the_vote_in_its_windows(bot, tmp_path):
    home = freqtrade.require()
    needed = "import lightgbm, xgboost, onnxmltools, datasieve"
    if subprocess.run([home / "bin" / "python", "-c", needed], capture_output=True, check=False).returncode:
        pytest.skip("no FreqAI in Freqtrade's environment: it needs lightgbm, xgboost, onnxmltools and datasieve")
    config = json.loads((bot.world.user_data / "config-quorate-freqai.json").read_text())
    config["freqai"].update(train_period_days=25, backtest_period_days=10, identifier="test", save_backtest_models=True)
    config["exchange"]["pair_whitelist"] = ["BTC/USDT:USDT"]
    (bot.world.user_data / "config-freqai-test.json").write_text(json.dumps(config))
    small = {
        "QUORATE_MODELS__XGBOOST__TREES": "20", "QUORATE_MODELS__LIGHTGBM__TREES": "20",
        "QUORATE_MODELS__XGBOOST__L2_SHARE": "0", "QUORATE_MODELS__LIGHTGBM__L2_SHARE": "0",
        "QUORATE_TRAIN__THREADS": "1", "QUORATE_TRAIN__FEATURES": "core14+gap",
        "QUORATE_CONFIG": str(own_column(tmp_path)),
    }  # fmt: skip
    trades, log = bot.backtest("--timerange", "20240220-20240311", config="config-freqai-test.json", settings=small)
    assert log.count("Starting training BTC/USDT:USDT") == 2
    assert "raised exception" not in log
    assert len(trades) > 10
    assert {trade["enter_tag"].split(" | ")[0] for trade in trades} == {"freqai"}
    # The synthetic market has an edge: more than half of the trades win.
    assert np.mean([trade["profit_abs"] > 0 for trade in trades]) > 0.5
    # No training label reads a bar after the window, where predictions begin.
    code = (
        "import pathlib, joblib\n"
        f"for path in pathlib.Path({str(bot.world.user_data / 'models' / 'test')!r}).rglob('*_model.joblib'):\n"
        "    model = joblib.load(path)\n"
        "    print((model.candles.time[-1] - model.time[-1]) // 3_600_000)\n"
    )
    done = subprocess.run([home / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    ahead = config["freqai"]["feature_parameters"]["label_period_candles"]
    assert [int(line) for line in done.stdout.split()] == [ahead, ahead]
    # The user's own column is one of the training features.
    for path in (bot.world.user_data / "models" / "test").rglob("*_metadata.json"):
        features = json.loads(path.read_text())["training_features_list"]
        assert features == [f"%-{name}" for name in (*feature_names("core14"), "gap")]
