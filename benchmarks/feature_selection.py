"""Columns chosen on training rows (`--features auto`) against sets by name, on the same later bars.

    QUORATE_DATA=DATA python benchmarks/feature_selection.py

Anchored folds of perpetuals, 1h, up to 2025-10-14. In each fold the columns are chosen on its training rows; XGBoost
and LightGBM are then fitted on them and score the test rows, raw. All lists are scored on the same rows. What is done
is in results/feature_selection.json, fold by fold, and is not done again. Writes results/feature_selection.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.files import write_text_atomic
from quorate.core.progress import silent
from quorate.core.settings import AutoFeatureSettings, Settings, TrainSettings
from quorate.ensemble.column_choice import ColumnChoice
from quorate.evaluation.feature_selection import fold_choices
from quorate.evaluation.metrics.classification import prior_scores, row_log_loss
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_columns import choose_in_folds
from quorate.evaluation.walk_forward.fold_fit import FoldParts
from quorate.evaluation.walk_forward.fold_rows import split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.features import feature_names, feature_set
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models import build
from quorate.targets import ForwardClass
from quorate.workflows.runs.member_figures import choice_of

RESULTS = Path(__file__).parent / "results"
START, END, MARKETS, FOLDS = "2024-11-01", "2025-10-14", 12, 4
TREES = ("xgboost", "lightgbm")
# The columns of core30, and those of full65 that are not among them.
WIDE = "+".join(("core30", *(name for name in feature_names("full65") if name not in feature_names("core30"))))
NAMED = {
    "core14": feature_names("core14"),
    "core30": feature_names("core30"),
    "full65": feature_names("full65"),
    "all": feature_set(WIDE).names,
}
# Fewer rows than by default, so that the whole study takes minutes.
AUTO = {
    "auto of core30": AutoFeatureSettings(rows=12_000),
    "auto of all": AutoFeatureSettings(candidates=WIDE, rows=12_000),
}
BASE = "core30"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    file: Path = options.out / "feature_selection.json"
    done: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    missing = [(fold, name) for fold in range(FOLDS) for name in (*NAMED, *AUTO) if f"{fold} {name}" not in done]
    if missing:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder that holds binance/, the real candles", file=sys.stderr)
            return 2
        rows = read(Path(data) / "binance")
        settings = Settings(train=TrainSettings(threads=1))
        folds = split_folds(rows, FOLDS, embargo_bars=settings.target.horizon)
        for fold, name in missing:
            done[f"{fold} {name}"] = judged(name, FoldParts.of(folds[fold], rows, settings), rows, settings)
            write_text_atomic(file, json.dumps(done) + "\n")
            print(fold + 1, name, len(done[f"{fold} {name}"]["columns"]), "columns", flush=True)
    options.out.joinpath("feature_selection.md").write_text("\n".join(as_markdown(done)) + "\n", encoding="utf-8")
    return 0


def read(candles: Path) -> LabelledBars:
    source, settings = FreqtradeFolder(candles), Settings()
    start, end = parse_ms(START), parse_ms(END)
    markets = top(source, "1h", MARKETS, start, settings=settings.universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    return build_rows(panel, WIDE, ForwardClass(settings.target.horizon, settings.target.band), start, end)


def judged(name: str, parts: FoldParts, rows: LabelledBars, settings: Settings) -> dict[str, Any]:
    """Columns of a list in one fold, how they were chosen, and sums of the losses by day of the test span."""
    began = time.process_time()
    columns, figures = NAMED.get(name, ()), {}
    if name in AUTO:
        own = replace(settings, auto_features=AUTO[name])
        choice = choose(parts, rows, own)
        columns, figures = choice.columns, dict(choice.figures)
    chose = time.process_time() - began
    test = parts.fold.test[rows.trainable[parts.fold.test]]
    y, day = rows.y[test], rows.time[test] // DAY_MS
    days, place = np.unique(day, return_inverse=True)
    scores = {model: fitted(model, columns, parts, rows, settings, test) for model in TREES}
    shares = np.bincount(rows.y[parts.train], minlength=3) / len(parts.train)
    tables = {
        "trees": np.mean([scores[model] for model in TREES], axis=0),
        **scores,
        "prior": prior_scores(shares, len(test)),
    }
    return {
        "columns": list(columns),
        "figures": figures,
        "choice_s": chose,
        "days": days.tolist(),
        "rows": np.bincount(place).tolist(),
        "losses": {
            model: np.bincount(place, row_log_loss(y, table)).round(6).tolist() for model, table in tables.items()
        },
    }


def choose(parts: FoldParts, rows: LabelledBars, settings: Settings) -> ColumnChoice:
    wanted = feature_set(settings.auto_features.candidates).names
    places = [rows.columns.index(name) for name in wanted]
    own = replace(rows, X=rows.X[:, places], columns=wanted)
    (found,) = choose_in_folds(own, [parts], TREES, settings, choice_of(settings), silent)
    return found


def fitted(
    name: str,
    columns: Sequence[str],
    parts: FoldParts,
    rows: LabelledBars,
    settings: Settings,
    test: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    places = [rows.columns.index(column) for column in columns]
    model = build(name, "class", settings.models, seed=1, threads=1, features=columns)
    model.fit(rows.X[parts.train][:, places], rows.y[parts.train])
    return model.predict_proba(rows.X[test][:, places])


def losses(done: Mapping[str, Any], name: str, model: str) -> np.ndarray[Any, Any]:
    """Sum of the losses of each tested day, over all folds."""
    return np.concatenate([done[f"{fold} {name}"]["losses"][model] for fold in range(FOLDS)])


def as_markdown(done: Mapping[str, Any]) -> Iterator[str]:
    first = [done[f"{fold} {BASE}"] for fold in range(FOLDS)]
    rows = np.concatenate([one["rows"] for one in first]).astype(float)
    blocks = TimeBlocks(np.concatenate([one["days"] for one in first]) * DAY_MS, Settings().evaluation)
    yield "# Columns chosen on training rows"
    yield ""
    yield (
        f"`QUORATE_DATA=DATA python benchmarks/feature_selection.py`: {MARKETS} perpetuals, 1h, {START} to {END}, "
        f"{FOLDS} anchored folds, {int(rows.sum()):,} test rows. Skill of raw scores over the class prior of the "
        "training rows, in %; difference in log-loss to core30 on the same rows, in thousandths of a nat, below 0 "
        "where the list is better. Intervals are 95 %, of a bootstrap over days. Both are of the mean of the "
        "two; `all` are the columns of core30 and full65."
    )
    yield ""
    yield f"| list | columns | skill, % | against {BASE} | xgboost alone, % | lightgbm alone, % |"
    yield "|---|---|---|---|---|---|"
    for name in (*NAMED, *AUTO):
        counts = ", ".join(str(len(done[f"{fold} {name}"]["columns"])) for fold in range(FOLDS))
        own, prior, base = losses(done, name, "trees"), losses(done, name, "prior"), losses(done, BASE, "trees")
        skill, apart = 1 - blocks.ratios(own, prior), blocks.ratios(own - base, rows)
        against = 1000 * (own - base).sum() / rows.sum()
        cells = [
            interval(100 * (1 - own.sum() / prior.sum()), blocks.interval(100 * skill), "+.2f"),
            "" if name == BASE else interval(against, blocks.interval(1000 * apart), "+.2f"),
            *(f"{100 * (1 - losses(done, name, model).sum() / prior.sum()):+.2f}" for model in TREES),
        ]
        yield f"| {name} | {counts} | {' | '.join(cells)} |"
    for name, settings in AUTO.items():
        yield from choices_of(done, name, settings)


def choices_of(done: Mapping[str, Any], name: str, settings: AutoFeatureSettings) -> Iterator[str]:
    """What the folds chose, and how much they agree."""
    parts = [done[f"{fold} {name}"] for fold in range(FOLDS)]
    choices = [ColumnChoice(tuple(one["columns"]), one["figures"]) for one in parts]
    found = fold_choices(choices, feature_set(settings.candidates).names)
    pairs = [
        len(set(one) & set(other)) / len(set(one) | set(other))
        for place, one in enumerate(each["columns"] for each in parts)
        for other in (each["columns"] for each in parts[place + 1 :])
    ]
    promised = ", ".join(f"{1000 * one['figures']['kept']['rise']:+.2f}" for one in parts)
    agree = "n/a" if found["stability"] is None else f"{found['stability']:.2f}"
    changed = {key: value for key, value in asdict(settings).items() if value != asdict(AutoFeatureSettings())[key]}
    yield ""
    yield f"## {name}"
    yield ""
    yield (
        f"Stability (Nogueira) {agree}, mean Jaccard index of two folds {np.mean(pairs):.2f}. On the rows that chose, "
        f"the difference to all candidates was {promised} thousandths of a nat, by fold. Settings that differ from the "
        "defaults: "
        f"{', '.join(f'`{key} = {value}`' for key, value in changed.items() if key != 'candidates')}."
    )
    yield ""
    yield "| column | kept in | dropped: rise x 1,000 | in inner folds | shuffled: rise x 1,000 | in inner folds |"
    yield "|---|---|---|---|---|---|"
    inner = found["inner_folds"]
    for row in found["columns"][:20]:
        cells = [
            text
            for kind in ("dropped", "shuffled")
            for text in (f"{1000 * row[kind]['rise']:+.2f}", f"{row[kind]['folds_above']}/{inner}")
        ]
        yield f"| `{row['column']}` | {row['kept_in']}/{FOLDS} | {' | '.join(cells)} |"


def interval(value: float, ends: tuple[float, float] | None, form: str) -> str:
    return f"{value:{form}}" if ends is None else f"{value:{form}} ({ends[0]:{form}} to {ends[1]:{form}})"


if __name__ == "__main__":
    raise SystemExit(main())
