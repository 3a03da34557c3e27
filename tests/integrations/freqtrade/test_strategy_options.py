"""Options of a strategy, merged from Freqtrade's configuration and Quorate's settings."""

import io
import logging
from enum import Enum

import pytest

from quorate.core.errors import FreqtradeError, SettingsError
from quorate.integrations.freqtrade import read_options


class Mode(Enum):
    DRY_RUN = "dry_run"
    FUTURES = "futures"


def test_freqtrades_section_overrides_the_environment_and_that_the_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("QUORATE_FREQTRADE__LEVERAGE", "3")
    monkeypatch.setenv("QUORATE_FREQTRADE__STAKE", "risk")
    options = read_options({"quorate": {"leverage": 2}, "user_data_dir": tmp_path})
    assert (options.freqtrade.leverage, options.freqtrade.stake, options.freqtrade.fallback) == (2, "risk", "none")
    assert options.path("a/b") == tmp_path / "a/b"
    assert options.path("/a/b").as_posix() == "/a/b"


def test_modes_may_be_text_or_members_of_an_enumeration():
    dry = read_options({"runmode": Mode.DRY_RUN, "trading_mode": Mode.FUTURES})
    assert (dry.live, dry.spot, dry.guarded, dry.exits_on_opposite) == (True, False, True, False)
    text = read_options({"runmode": "backtest", "trading_mode": "spot"})
    assert (text.live, text.spot, text.guarded, text.exits_on_opposite) == (False, True, False, True)
    assert read_options({}).spot


@pytest.mark.parametrize(
    ("section", "error", "message"),
    [
        ({"levrage": 3}, FreqtradeError, "Did you mean 'leverage'"),
        ({"leverage": 500}, SettingsError, "1 to 125"),
        ({"stake": "all"}, FreqtradeError, "'all'"),
        ({"allow_training_span": "perhaps"}, FreqtradeError, "perhaps"),
        ("bundle", FreqtradeError, "an object"),
    ],
)
def test_an_invalid_section_is_refused(section, error, message):
    with pytest.raises(error, match=message):
        read_options({"quorate": section})


def test_predictions_are_cached_in_backtests_only(tmp_path):
    cached = {
        mode: read_options({"runmode": mode, "user_data_dir": tmp_path}).cache for mode in ("backtest", "dry_run")
    }
    assert cached == {"backtest": tmp_path / "quorate/cache", "dry_run": None}
    assert read_options({"runmode": "backtest", "quorate": {"cache": ""}}).cache is None


@pytest.mark.parametrize("name", ["quorate", "quorate.integrations.freqtrade.strategies", "ccxt.base.exchange"])
def test_freqtrades_logs_hold_no_secrets(name, monkeypatch):
    canary = "Canary7c1f9e2b"
    written = io.StringIO()
    root = logging.getLogger()
    handler = logging.StreamHandler(written)
    monkeypatch.setattr(root, "handlers", [handler])
    read_options({"exchange": {"key": canary + "k", "secret": canary + "s"}, "telegram": {"token": canary + "t"}})
    log = logging.getLogger(name)
    log.error("refused %s of %s", f"{canary}k", {"X-MBX-APIKEY": f"{canary}s"})
    log.error("GET https://h/order?timestamp=1&signature=%s", canary)
    try:
        int(f"bot {canary}t: https://h/order?signature={canary}")
    except ValueError:
        log.exception("failed")
    text = written.getvalue()
    assert canary not in text
    assert "refused *** of" in text
    assert "timestamp=1" in text
    assert "Traceback" in text
