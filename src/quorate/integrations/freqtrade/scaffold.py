"""What Freqtrade needs in its user_data to find Quorate; what is there already and was changed stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quorate.core.configuration import load_settings
from quorate.core.errors import DataError, FreqtradeError
from quorate.core.files import write_text_atomic
from quorate.core.settings import FreqtradeSettings
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.series import load
from quorate.integrations.freqtrade.templates import config_file, model_file, strategy_file

Deed = Literal["written", "unchanged", "left", "overwritten"]

_PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file, and what became of it: `left` is one that differs and was not touched."""

    path: Path
    deed: Deed


def scaffold(user_data: Path, bundle: Path | None = None, *, force: bool = False) -> tuple[WrittenFile, ...]:
    """Write strategies, configurations and FreqAI's model into Freqtrade's folder.

    Args:
        user_data: an existing folder, as `freqtrade create-userdir` makes it.
        bundle: a bundle, a folder of them or a series; its pairs and timeframe go into the configurations.
        force: overwrite files that differ.

    Returns:
        Every file, in the order in which they were looked at.

    Raises:
        FreqtradeError: no such folder, or a file that cannot be read.
        BundleError: `bundle` names none.
        DataError: a file that cannot be written.
    """
    if not user_data.is_dir():
        raise FreqtradeError(
            f"write Freqtrade's files into {user_data}",
            found="no such folder",
            expected="Freqtrade's user_data",
            remedy=f"Make it first: freqtrade create-userdir --userdir {user_data}",
        )
    manifest = None if bundle is None else load(bundle, features=load_settings().features).manifest
    place = FreqtradeSettings().bundle if bundle is None else _from(user_data, bundle)
    return tuple(
        _put(user_data / name, text, force=force) for name, text in _files(manifest, place, asked=bundle is not None)
    )


def _files(manifest: Manifest | None, place: str, *, asked: bool) -> Iterable[tuple[str, str]]:
    stack = manifest is not None and manifest.recipe == "stack"
    timeframe = manifest.timeframe if manifest is not None and not stack else "1h"
    slow = manifest.timeframe if manifest is not None and stack else "4h"
    pairs = _PAIRS if manifest is None else manifest.symbols
    perpetuals = tuple(pair if ":" in pair else f"{pair}:{pair.split('/')[1]}" for pair in pairs)
    spot = tuple(pair.split(":")[0] for pair in pairs)
    # A bundle of the other kind of market trades it only where the user says so: by choosing this configuration.
    own = {"bundle": place, "stake": "risk"}
    strange = {"unseen_pairs": True}
    vote = "quorate/bundles" if stack else place
    yield (
        "strategies/QuorateVoteStrategy.py",
        strategy_file("QuorateVoteStrategy", "vote_strategy", "Quorate's consensus vote.", timeframe),
    )
    yield (
        "strategies/QuorateHybridStrategy.py",
        strategy_file("QuorateHybridStrategy", "hybrid_strategy", "Quorate's stack of predicted returns.", slow),
    )
    yield (
        "strategies/QuorateFreqaiStrategy.py",
        strategy_file("QuorateFreqaiStrategy", "freqai_strategy", "Quorate's vote, trained by FreqAI.", timeframe),
    )
    yield "freqaimodels/QuorateFreqaiModel.py", model_file()
    own_futures = {**own, "bundle": vote, **({} if pairs == perpetuals else strange)}
    own_spot = {**own, "bundle": vote, **({} if asked and pairs == spot else strange)}
    yield (
        "config-quorate-futures.json",
        config_file("QuorateVoteStrategy", timeframe, perpetuals, own_futures, futures=True),
    )
    yield "config-quorate-spot.json", config_file("QuorateVoteStrategy", timeframe, spot, own_spot, futures=False)
    slow_own = {**own, "bundle": place if stack else "quorate/stack"}
    yield (
        "config-quorate-hybrid.json",
        config_file("QuorateHybridStrategy", slow, perpetuals if stack else perpetuals[:1], slow_own, futures=True),
    )
    yield (
        "config-quorate-freqai.json",
        config_file("QuorateFreqaiStrategy", timeframe, perpetuals, {}, futures=True, **_freqai(timeframe)),
    )


def _freqai(timeframe: str) -> dict[str, object]:
    return {
        "freqaimodel": "QuorateFreqaiModel",
        "freqai": {
            "enabled": True,
            "identifier": "quorate",
            "train_period_days": 60,
            "backtest_period_days": 7,
            "purge_old_models": 2,
            "activate_tensorboard": False,
            "feature_parameters": {
                "include_timeframes": [timeframe],
                "include_corr_pairlist": [],
                "label_period_candles": 5,
                "include_shifted_candles": 0,
                "indicator_periods_candles": [14],
                "DI_threshold": 0,
                "weight_factor": 0,
                "principal_component_analysis": False,
                "plot_feature_importances": 0,
            },
            "data_split_parameters": {"test_size": 0.2, "shuffle": False},
            "model_training_parameters": {"models": ["xgboost", "lightgbm"]},
        },
    }


def _put(path: Path, text: str, *, force: bool) -> WrittenFile:
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        write_text_atomic(path, text)
        return WrittenFile(path, "written")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"read {path}", found=str(error), expected="a text file, or none") from error
    if there == text:
        return WrittenFile(path, "unchanged")
    if not force:
        return WrittenFile(path, "left")
    write_text_atomic(path, text)
    return WrittenFile(path, "overwritten")


def _from(user_data: Path, bundle: Path) -> str:
    """The bundle as the configuration names it: from user_data where it lies below it."""
    whole, root = Path(os.path.abspath(bundle)), Path(os.path.abspath(user_data))  # noqa: PTH100 - links stay links
    return str(whole.relative_to(root)) if whole.is_relative_to(root) else str(whole)
