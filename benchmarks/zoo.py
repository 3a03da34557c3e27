"""Every member on one walk-forward: skill, cost, and what it adds to the ensemble of four.

    QUORATE_DATA=DATA python benchmarks/zoo.py --walk FOLDER [--members NAMES] [--workers N]
    QUORATE_DATA=DATA python benchmarks/zoo.py --times FOLDER
    python benchmarks/zoo.py FOLDER

The first command walks every registered member forward over 60 perpetuals as `quorate evaluate` does, one after the
other, and stores its scores in FOLDER; members whose scores are there already are left out, so that a run that was
stopped continues, and a new member is added by the same command. `--markets`, `--folds`, `--from` and `--to` make a
smaller walk. The second command fits each member of FOLDER in the last fold alone and stores what it costs. The
third one writes results/zoo.md and .json from what is stored.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import parse_ms
from quorate.core.errors import PretrainingError
from quorate.core.settings import EvaluationSettings, Settings, VoteSettings
from quorate.core.types import Candles, FloatArray, finite_rows
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import auc, directional_score, row_log_loss
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.predictions_file import read_predictions, write_predictions
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.fold_rows import FoldRows, split_folds
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.features import feature_set
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.universe import top
from quorate.models import Model, build, names
from quorate.models.pretraining import marks
from quorate.models.runtime import OnnxSession
from quorate.targets import ForwardClass

RESULTS = Path(__file__).parent / "results"
START, END, MARKETS, FOLDS = "2024-11-01", "2025-10-14", 60, 5
FOUR = RECIPES["vote"].models
PRIOR = "class prior"
CHOSEN = "2025-07-01"  # defaults were chosen on bars before it
WEIGHT = 0.2  # of a member that is added to the ensemble
RUNS = 300  # single rows that are timed


@dataclass
class Serving:
    """Looks at each fitted member's graph: its size, and the time of a single row."""

    found: dict[str, float] = field(default_factory=dict)

    def rows(self, fold: FoldRows, name: str) -> int:  # noqa: ARG002
        return RUNS

    def measure(self, fold: FoldRows, name: str, model: Model) -> dict[str, float]:  # noqa: ARG002
        graph, columns = model.to_onnx(), model.columns or 0
        session, random = OnnxSession(graph, columns, name), np.random.default_rng(1)
        shape = (1, columns) if model.window == 1 else (1, model.window, columns)
        took = []
        for _ in range(RUNS):
            row = random.normal(size=shape).astype(np.float32)
            began = time.thread_time()
            session.run(row)
            took.append(time.thread_time() - began)
        return {"graph_bytes": len(graph), "row_us": 1e6 * statistics.median(took)}

    def add(self, name: str, found: dict[str, float]) -> None:  # noqa: ARG002
        self.found |= found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the scores")
    parser.add_argument("--walk", action="store_true", help="walk forward and store the scores")
    parser.add_argument("--members", default="", help="names, separated by commas; default: all that are installed")
    parser.add_argument("--workers", type=int, default=0, help="processes of the walk; 0 for those that are free")
    parser.add_argument("--times", action="store_true", help="fit in the last fold alone and store what it costs")
    parser.add_argument("--markets", type=int, default=MARKETS)
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--from", dest="start", default=START)
    parser.add_argument("--to", dest="end", default=END)
    parser.add_argument(
        "--pretrained", choices=("refuse", "mark"), default="refuse", help="members that may know the test bars"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "zoo", help="of the results, without suffix")
    options = parser.parse_args()
    if options.walk or options.times:
        data = os.environ.get("QUORATE_DATA")
        if not data:
            print("set QUORATE_DATA to the folder that holds binance/, the real candles", file=sys.stderr)
            return 2
        rows, panel, settings = read_rows(Path(data) / "binance", options)
        if options.walk:
            store(rows, panel, settings, options)
        if options.times:
            store_times(rows, settings, options)
        return 0
    found = figures(options.folder)
    options.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    options.out.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    return 0


def installed() -> list[str]:
    """Members of which no library is missing."""
    return [name for name in names() if name not in ("catboost", "fracast") or find_spec(name)]


def read_rows(candles: Path, options: argparse.Namespace) -> tuple[LabelledBars, Mapping[str, Candles], Settings]:
    """Features and labels of the walk, the candles of its markets, and the settings.

    Raises:
        SystemExit: the folder holds another walk.
    """
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    plan = {name: getattr(options, name) for name in ("markets", "folds", "start", "end")}
    about = folder / "walk.json"
    if about.exists() and json.loads(about.read_text()) != plan:
        raise SystemExit(f"{folder} holds another walk: {about.read_text()}")
    about.write_text(json.dumps(plan))
    source = FreqtradeFolder(candles)
    settings = Settings(evaluation=EvaluationSettings(pretrained=options.pretrained))
    start, end = parse_ms(options.start), parse_ms(options.end)
    markets = top(source, "1h", options.markets, start, settings=settings.universe)
    panel = {symbol: source.candles(symbol, "1h").between(end=end) for symbol in markets}
    target = ForwardClass(settings.target.horizon, settings.target.band)
    features = feature_set(settings.train.features, settings.features)
    return build_rows(panel, features, target, start, end), panel, settings


def store(rows: LabelledBars, panel: Mapping[str, Candles], settings: Settings, options: argparse.Namespace) -> None:
    """Walk each member forward whose scores are not there yet, and write them."""
    folder: Path = options.folder
    for name in options.members.split(",") if options.members else installed():
        if (folder / f"{name}.json").exists():
            continue
        began = time.perf_counter()
        try:
            walked = walk(rows, (name,), settings, WalkOptions(folds=options.folds, workers=options.workers))
        except PretrainingError as error:
            (folder / f"{name}.json").write_text(json.dumps({"failures": [str(error)]}))
            print(f"{name}: refused", file=sys.stderr, flush=True)
            continue
        failures = [fits[name].failure for fits in walked.fits if fits[name].failure]
        found: dict[str, Any] = {"failures": failures}
        if seen := marks(walked.pretrained, walked.start):
            found["marks"] = seen
        if len(failures) < len(walked.fits):
            beside = replace(walked, members=(name, PRIOR), scores={**walked.scores, PRIOR: walked.prior})
            write_predictions(folder / f"{name}.parquet", MemberPredictions.of_walk(beside, panel))
        # Last, since it says that the member is done.
        (folder / f"{name}.json").write_text(json.dumps(found))
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def store_times(rows: LabelledBars, settings: Settings, options: argparse.Namespace) -> None:
    """Fit each member of the folder in the last fold alone, by one thread, and write what it costs."""
    folder: Path = options.folder
    embargo = settings.split.embargo_bars
    bars = settings.target.horizon if embargo < 0 else embargo
    *_, last = split_folds(rows, options.folds, embargo_bars=bars, anchored=True)
    # Fitted once, not out of fold as well.
    settings = replace(settings, policy=replace(settings.policy, refit="none"))
    for path in sorted(folder.glob("*.parquet")):
        name = path.stem
        found = json.loads((folder / f"{name}.json").read_text())
        if (options.members and name not in options.members.split(",")) or found.keys() >= {"fit_s", "row_us"}:
            continue
        serving = Serving()  # of this process: another one could not find it
        timed = partial(_timed, rows=rows, settings=settings, found=serving)
        walk(
            rows,
            (name,),
            settings,
            WalkOptions(folds=1, first=last.start, workers=1, examination=serving, build=timed),
        )
        found |= serving.found
        (folder / f"{name}.json").write_text(json.dumps(found))
        print(f"{name}: {found['fit_s']:.1f} s, {found['row_us']:.0f} us a row", file=sys.stderr, flush=True)


def _timed(name: str, rows: LabelledBars, settings: Settings, found: Serving) -> Model:
    """A member whose fit writes its processor time down."""
    made = build(name, "class", settings.models, seed=settings.train.seed, threads=1, features=rows.columns)
    fit = made.fit

    def timed(*arguments: Any, **options: Any) -> Model:
        began = time.process_time()
        fit(*arguments, **options)
        found.found["fit_s"] = time.process_time() - began
        return made

    made.fit = timed  # type: ignore[method-assign]
    return made


def figures(folder: Path) -> dict[str, Any]:
    """The document of the results."""
    costs = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json")) if path.stem != "walk"}
    read = {
        name: read_predictions(folder / f"{name}.parquet") for name in costs if (folder / f"{name}.parquet").exists()
    }
    first = next(iter(read.values()))
    scores = {name: one.members[name] for name, one in read.items()}
    settings = Settings()
    found = judge(scores, first, settings)
    for name, cost in costs.items():
        figure = found["members"].setdefault(name, {})
        figure |= cost
    about = {"confidence": settings.evaluation.confidence, "markets": len(first.symbols), "rows": len(first)}
    return {**json.loads((folder / "walk.json").read_text()), **about, **found}


def judge(scores: Mapping[str, FloatArray], rows: MemberPredictions, settings: Settings) -> dict[str, Any]:
    """Figures of each member and of the ensemble, by name.

    Args:
        scores: member -> (n, 3); NaN where it abstains.
        rows: labels and times of these rows, and the class prior as a member.
        settings: of the vote's weights and of the bootstrap.
    """
    prior = row_log_loss(rows.y, rows.members[PRIOR])
    blocks = TimeBlocks(rows.time, settings.evaluation)
    four = {name: scores[name] for name in FOUR if name in scores}
    ensemble = mean_scores(four, settings.vote) if len(four) == len(FOUR) else None
    made: dict[str, Any] = {name: alone(table, rows, prior, blocks) for name, table in scores.items()}
    document: dict[str, Any] = {"members": made}
    if ensemble is None:
        return document
    document["ensemble"] = alone(ensemble, rows, prior, blocks)
    lean = directional_score(ensemble)
    for name, table in scores.items():
        both = finite_rows(table) & finite_rows(ensemble)
        mixed = mean_scores(
            {"ensemble": ensemble, name: table},
            VoteSettings(weights={"ensemble": 1 - WEIGHT, name: WEIGHT}),
        )
        gained = row_log_loss(rows.y[both], ensemble[both]) - row_log_loss(rows.y[both], mixed[both])
        part = blocks.select(both)
        made[name] |= {
            "correlation": correlation(directional_score(table)[both], lean[both]),
            "gain": float(gained.mean() / prior[both].mean()),
            "gain_ci": part.interval(part.ratios(gained, prior[both])),
        }
    return document


def correlation(a: FloatArray, b: FloatArray) -> float | None:
    """Pearson's; None for a member that takes no side."""
    return float(np.corrcoef(a, b)[0, 1]) if min(np.ptp(a), np.ptp(b)) > 0 else None


def alone(table: FloatArray, rows: MemberPredictions, prior: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Log-loss, AUC and skill over the class prior on the rows that the member voted on, and on the later of them."""
    voted = finite_rows(table)
    found = {
        "log_loss": float(row_log_loss(rows.y[voted], table[voted]).mean()),
        "auc": auc(rows.y[voted], table[voted]),
    }
    for key, chosen in (("skill", voted), ("later", voted & (rows.time >= parse_ms(CHOSEN)))):
        if chosen.any():
            loss, reference, part = row_log_loss(rows.y[chosen], table[chosen]), prior[chosen], blocks.select(chosen)
            found[key] = float(1 - loss.mean() / reference.mean())
            found[f"{key}_ci"] = part.interval(1 - part.ratios(loss, reference))
    return found


def as_markdown(found: Mapping[str, Any]) -> str:
    """The table, best skill first."""
    head = (
        "member",
        "log-loss",
        "skill, %",
        f"from {CHOSEN}",
        "AUC",
        "fit, s",
        "row live, us",
        "graph, kB",
        "correlation",
        "gain, %",
    )
    lines = [
        "# The members",
        "",
        "`QUORATE_DATA=DATA python benchmarks/zoo.py --walk FOLDER`, then `python benchmarks/zoo.py FOLDER`: "
        f"{found['markets']} perpetuals, 1h, {found['start']} to {found['end']}, {found['folds']} anchored folds, "
        f"{found['rows']:,} labelled test rows. Skill is 1 - log-loss / that of the class prior of the training rows, "
        f"also on the bars from {CHOSEN} alone, on which no default was chosen. "
        f"The correlation is that of BUY minus SELL with the ensemble of {', '.join(FOUR)}; the gain is by how much "
        f"its log-loss falls, in % of the prior's, when the member is added with a weight of {100 * WEIGHT:.0f} %. "
        f"Intervals are {100 * found['confidence']:g} % of a bootstrap over days with all markets of each. "
        "Times are processor time of one thread (`--times`): a fit before the last fold, and a single row by ONNX "
        "Runtime.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    if "ensemble" in found:
        lines.append(_row("ensemble of four", found["ensemble"]))
    members = found["members"]
    ranked = sorted(members, key=lambda name: -members[name].get("skill", -np.inf))
    lines += [_row(f"`{name}`", members[name]) for name in ranked]
    marked = [mark for name in ranked for mark in members[name].get("marks", ())]
    if marked:
        lines += ["", *(f"- {mark}." for mark in marked)]
    failed = {name: members[name]["failures"] for name in ranked if members[name].get("failures")}
    if failed:
        lines += ["", "Failed:", "", *(f"- `{name}`: {'; '.join(reasons)}" for name, reasons in failed.items())]
    return "\n".join(lines) + "\n"


def _row(name: str, figure: Mapping[str, Any]) -> str:
    cells = [
        _number(figure, "log_loss", "{:.4f}"),
        _number(figure, "skill", "{:+.2f}", 100),
        _number(figure, "later", "{:+.2f}", 100),
        _number(figure, "auc", "{:.3f}"),
        _number(figure, "fit_s", "{:.1f}"),
        _number(figure, "row_us", "{:.0f}"),
        _number(figure, "graph_bytes", "{:,.0f}", 1e-3),
        _number(figure, "correlation", "{:.2f}"),
        _number(figure, "gain", "{:+.3f}", 100),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _number(figure: Mapping[str, Any], key: str, form: str, scale: float = 1.0) -> str:
    if figure.get(key) is None:
        return ""
    ends: Sequence[float] | None = figure.get(f"{key}_ci")
    text = form.format(scale * figure[key])
    return text if ends is None else f"{text} ({form.format(scale * ends[0])} to {form.format(scale * ends[1])})"


if __name__ == "__main__":
    raise SystemExit(main())
