"""Files in Freqtrade's user_data through which it finds Quorate; files that differ are kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quorate.core.configuration import load_settings
from quorate.core.errors import DataError, FreqtradeError
from quorate.core.files import write_text_atomic
from quorate.core.regular_files import read_regular_text
from quorate.core.settings import FreqtradeSettings
from quorate.ensemble.bundle.manifest import Manifest
from quorate.integrations.freqtrade.templates import config_file, model_file, strategy_file
from quorate.workflows.inputs import load_predictor

FileStatus = Literal["written", "unchanged", "left", "overwritten"]

_PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of `scaffold`.

    Attributes:
        path: of the file.
        status: written (new), unchanged (the same text was there), left (another text was there and kept) or
            overwritten.
    """

    path: Path
    status: FileStatus


def scaffold(user_data: Path, bundle: Path | None = None, *, force: bool = False) -> tuple[WrittenFile, ...]:
    """Write strategies, configurations and the FreqAI model into Freqtrade's folder.

    Args:
        user_data: an existing folder, as made by `freqtrade create-userdir`.
        bundle: a bundle, a folder of bundles for its champion, or a series. The configurations get its path, pairs and
            timeframe; None for default ones.
        force: overwrite files that differ.

    Returns:
        Every file with its status.

    Raises:
        FreqtradeError: no such folder.
        BundleError, FeatureError: `bundle` cannot be loaded.
        DataError: a file cannot be read or written.
    """
    if not user_data.is_dir():
        raise FreqtradeError(
            f"write Freqtrade's files into {user_data}",
            found="no such folder",
            expected="Freqtrade's user_data",
            remedy=f"Create it: freqtrade create-userdir --userdir {user_data}",
        )
    manifest = None if bundle is None else load_predictor(bundle, load_settings()).manifest
    bundle_path = FreqtradeSettings().bundle if bundle is None else _config_path(user_data, bundle)
    return tuple(_write(user_data / name, text, force=force) for name, text in _files(manifest, bundle_path))


def _files(manifest: Manifest | None, bundle_path: str) -> Iterable[tuple[str, str]]:
    stack = manifest is not None and manifest.recipe == "stack"
    timeframe = manifest.timeframe if manifest is not None and not stack else "1h"
    stack_timeframe = manifest.timeframe if manifest is not None and stack else "4h"
    pairs = _PAIRS if manifest is None else manifest.symbols
    perpetuals = tuple(pair if ":" in pair else f"{pair}:{pair.split('/')[1]}" for pair in pairs)
    spot = tuple(pair.split(":")[0] for pair in pairs)
    # Both configurations of the vote name the same bundle; one of them is for a kind of market that it has not seen.
    common = {"stake": "risk"}
    unseen = {"unseen_pairs": True}
    vote_path = FreqtradeSettings().bundle if stack else bundle_path
    yield (
        "strategies/QuorateVoteStrategy.py",
        strategy_file("QuorateVoteStrategy", "vote_strategy", "Consensus vote of a Quorate bundle.", timeframe),
    )
    yield (
        "strategies/QuorateHybridStrategy.py",
        strategy_file(
            "QuorateHybridStrategy", "hybrid_strategy", "Return predicted by a Quorate stack.", stack_timeframe
        ),
    )
    yield (
        "strategies/QuorateFreqaiStrategy.py",
        strategy_file(
            "QuorateFreqaiStrategy", "freqai_strategy", "Quorate's consensus vote, trained by FreqAI.", timeframe
        ),
    )
    yield "freqaimodels/QuorateFreqaiModel.py", model_file()
    for_futures = {"bundle": vote_path, **common, **({} if pairs == perpetuals else unseen)}
    for_spot = {"bundle": vote_path, **common, **({} if manifest is not None and pairs == spot else unseen)}
    yield (
        "config-quorate-futures.json",
        config_file("QuorateVoteStrategy", timeframe, perpetuals, for_futures, futures=True),
    )
    yield "config-quorate-spot.json", config_file("QuorateVoteStrategy", timeframe, spot, for_spot, futures=False)
    for_stack = {"bundle": bundle_path if stack else "quorate/stack", **common}
    stack_pairs = perpetuals if stack else perpetuals[:1]
    yield (
        "config-quorate-hybrid.json",
        config_file("QuorateHybridStrategy", stack_timeframe, stack_pairs, for_stack, futures=True),
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


def _write(path: Path, text: str, *, force: bool) -> WrittenFile:
    try:
        present = read_regular_text(path)
    except FileNotFoundError:
        write_text_atomic(path, text)
        return WrittenFile(path, "written")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"read {path}", found=str(error), expected="a text file, or no file") from error
    if present == text:
        return WrittenFile(path, "unchanged")
    if not force:
        return WrittenFile(path, "left")
    write_text_atomic(path, text)
    return WrittenFile(path, "overwritten")


def _config_path(user_data: Path, bundle: Path) -> str:
    """Path of the bundle in the configuration: relative to user_data if it is below, else absolute."""
    path, root = Path(os.path.abspath(bundle)), Path(os.path.abspath(user_data))  # noqa: PTH100 - keeps symbolic links
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
