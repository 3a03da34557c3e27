"""Files in Freqtrade's user_data through which it finds Quorate; what a person put into them is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quorate.book.bundle import BookManifest, load_book
from quorate.core.configuration import load_settings
from quorate.core.errors import DataError, FreqtradeError
from quorate.core.files import write_text_atomic
from quorate.core.regular_files import read_regular_text
from quorate.core.settings import FreqtradeSettings
from quorate.ensemble.bundle.manifest import Manifest
from quorate.integrations.freqtrade.book.book_markets import TIMEFRAME
from quorate.integrations.freqtrade.existing_files import equal_config, keep_copy, update_config, update_strategy
from quorate.integrations.freqtrade.templates import config_tree, model_file, overlay_tree, strategy_file
from quorate.workflows.book.kinds import is_book
from quorate.workflows.inputs import load_predictor

FileStatus = Literal["written", "unchanged", "left", "updated"]

_PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")

#: Of a book's positions: low, with room for a gross weight of as much.
BOOK_LEVERAGE = 3.0


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of `scaffold`.

    Attributes:
        path: of the file.
        status: written (new), unchanged (it has our values), left (it was changed, and is kept) or updated (some of our
            keys were set in it, and nothing else).
        keys: that were set in an updated file, such as "quorate.bundle".
        backup: copy of an updated file as it was.
    """

    path: Path
    status: FileStatus
    keys: tuple[str, ...] = ()
    backup: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry of `quorate freqtrade init --json`."""
        return {
            "path": str(self.path),
            "deed": self.status,
            "keys": list(self.keys),
            "backup": None if self.backup is None else str(self.backup),
        }


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write: its name, its text and how to know and update an existing one."""

    name: str
    text: str
    equal: Callable[[str], bool]
    update: Callable[[str], tuple[str, tuple[str, ...]]]


def scaffold(user_data: Path, bundle: Path | None = None, *, force: bool = False) -> tuple[WrittenFile, ...]:
    """Write strategies, configurations and the FreqAI model into Freqtrade's folder.

    A file that a person has changed is left. With `force`, our own keys are set in it: strategy, timeframe, bundle and
    the server of FreqUI where they are missing, and timeframe and bundle where `bundle` is given. Everything else in it
    stays, comments included, and a copy of it as it was is kept beside it.

    Args:
        user_data: an existing folder, as made by `freqtrade create-userdir`.
        bundle: a bundle, a folder of bundles for its champion, or a series. The configurations get its path, pairs and
            timeframe; None for default ones. For a book, or a folder of books, only what follows a book is written.
        force: set our keys in files that were changed.

    Returns:
        Every file with its status.

    Raises:
        FreqtradeError: no such folder.
        BundleError, FeatureError: `bundle` cannot be loaded.
        SettingsError: with `force`, a file that cannot be parsed.
        DataError: a file cannot be read or written.
    """
    if not user_data.is_dir():
        raise FreqtradeError(
            f"write Freqtrade's files into {user_data}",
            found="no such folder",
            expected="Freqtrade's user_data",
            remedy=f"Create it: freqtrade create-userdir --userdir {user_data}",
        )
    bundle_path = FreqtradeSettings().bundle if bundle is None else _config_path(user_data, bundle)
    if bundle is not None and is_book(bundle):
        files = _book_files(load_book(bundle).manifest, bundle_path)
    else:
        manifest = None if bundle is None else load_predictor(bundle, load_settings()).manifest
        files = _files(manifest, bundle_path)
    return tuple(_write(user_data / file.name, file, force=force) for file in files)


def _book_files(manifest: BookManifest, path: str) -> Iterable[_File]:
    """Strategy and configurations that follow a book."""
    name, timeframe = "QuorateBookStrategy", TIMEFRAME
    # Every market may be held; the stake is only what Freqtrade proposes before the book says its own.
    slots = {"max_open_trades": -1, "stake_amount": 10}
    section = {"bundle": path, "leverage": BOOK_LEVERAGE}
    # Longs and shorts of a book back each other, as in its backtest.
    margin = {"margin_mode": "cross"}
    whole = config_tree(name, timeframe, manifest.symbols, section, futures=True, **slots, **margin)
    yield _strategy(name, "book_strategy", "Target weights of a Quorate book.", timeframe, timeframe)
    yield _config("book", whole, timeframe)
    yield _config("add", {**overlay_tree(name, timeframe, section), **slots}, timeframe)


def _files(manifest: Manifest | None, bundle_path: str) -> Iterable[_File]:
    stack = manifest is not None and manifest.recipe == "stack"
    known = None if manifest is None else manifest.timeframe
    timeframe = known if known is not None and not stack else "1h"
    stack_timeframe = known if known is not None and stack else "4h"
    pairs = _PAIRS if manifest is None else manifest.symbols
    perpetuals = tuple(pair if ":" in pair else f"{pair}:{pair.split('/')[1]}" for pair in pairs)
    spot = tuple(pair.split(":")[0] for pair in pairs)
    # Both configurations of the vote name the same bundle; one of them is for a kind of market that it has not seen.
    common = {"stake": "risk"}
    unseen = {"unseen_pairs": True}
    # What a bundle decides in files that exist: nothing without one, or in those of the other recipe.
    of_vote, of_stack = (known if known is not None and stack is wanted else None for wanted in (False, True))
    vote_path = FreqtradeSettings().bundle if stack else bundle_path
    yield _strategy("QuorateVoteStrategy", "vote_strategy", "Consensus vote of a Quorate bundle.", timeframe, of_vote)
    yield _strategy(
        "QuorateHybridStrategy",
        "hybrid_strategy",
        "Return predicted by a Quorate stack.",
        stack_timeframe,
        of_stack,
    )
    yield _strategy(
        "QuorateFreqaiStrategy", "freqai_strategy", "Quorate's consensus vote, trained by FreqAI.", timeframe, None
    )
    model = model_file()
    yield _File("freqaimodels/QuorateFreqaiModel.py", model, lambda text: text == model, lambda text: (text, ()))
    for_futures = {"bundle": vote_path, **common, **({} if pairs == perpetuals else unseen)}
    for_spot = {"bundle": vote_path, **common, **({} if manifest is not None and pairs == spot else unseen)}
    vote = "QuorateVoteStrategy"
    yield _config("futures", config_tree(vote, timeframe, perpetuals, for_futures, futures=True), of_vote)
    yield _config("spot", config_tree(vote, timeframe, spot, for_spot, futures=False), of_vote)
    for_stack = {"bundle": bundle_path if stack else "quorate/stack", **common}
    stack_pairs = perpetuals if stack else perpetuals[:1]
    hybrid = "QuorateHybridStrategy"
    yield _config("hybrid", config_tree(hybrid, stack_timeframe, stack_pairs, for_stack, futures=True), of_stack)
    yield _config(
        "freqai",
        config_tree("QuorateFreqaiStrategy", timeframe, perpetuals, {}, futures=True, **_freqai(timeframe)),
        None,
    )
    yield _config("add", overlay_tree(hybrid if stack else vote, known, {"bundle": bundle_path}), known)


def _strategy(name: str, module: str, purpose: str, timeframe: str, bundle_timeframe: str | None) -> _File:
    text = strategy_file(name, module, purpose, timeframe)

    def update(present: str) -> tuple[str, tuple[str, ...]]:
        return (present, ()) if bundle_timeframe is None else update_strategy(present, name, bundle_timeframe)

    return _File(f"strategies/{name}.py", text, lambda present: present == text, update)


def _config(name: str, tree: Mapping[str, Any], bundle_timeframe: str | None) -> _File:
    """A configuration.

    Args:
        name: config-quorate-NAME.json.
        tree: its content.
        bundle_timeframe: of the bundle that was given for it; None where none was.
    """
    section = tree["quorate"]
    missing: dict[tuple[str, ...], Any] = {
        (key,): tree[key] for key in ("strategy", "timeframe", "api_server") if key in tree
    }
    if "bundle" in section:
        missing[("quorate", "bundle")] = section["bundle"]
    changed: dict[tuple[str, ...], Any] = {}
    if bundle_timeframe is not None:
        changed = {("quorate", key): section[key] for key in ("bundle", "unseen_pairs") if key in section}
        changed[("timeframe",)] = bundle_timeframe
    file = f"config-quorate-{name}.json"
    return _File(
        file,
        json.dumps(tree, indent=4) + "\n",
        lambda present: equal_config(present, tree),
        lambda present: update_config(present, file, changed, missing),
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


def _write(path: Path, file: _File, *, force: bool) -> WrittenFile:
    try:
        present = read_regular_text(path)
    except FileNotFoundError:
        write_text_atomic(path, file.text)
        return WrittenFile(path, "written")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"read {path}", found=str(error), expected="a text file, or no file") from error
    if file.equal(present):
        return WrittenFile(path, "unchanged")
    text, keys = file.update(present) if force else (present, ())
    if not keys:
        return WrittenFile(path, "left")
    backup = keep_copy(path)
    write_text_atomic(path, text)
    return WrittenFile(path, "updated", keys, backup)


def _config_path(user_data: Path, bundle: Path) -> str:
    """Path of the bundle in the configuration: relative to user_data if it is below, else absolute."""
    path, root = Path(os.path.abspath(bundle)), Path(os.path.abspath(user_data))  # noqa: PTH100 - keeps symbolic links
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
