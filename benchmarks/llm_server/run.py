"""The whole road of the panel with one real language model: record, backtest with and without, all offline.

    make .venv-llm/.installed
    python benchmarks/llm_server/run.py --bars 12

The model is Gemma 3 270M in 4 bits, a base model: it was trained to continue texts, not to answer, and forecasts
nothing. What is shown is that its replies are recorded, invalid ones as abstentions, and that a backtest with them has
no entry that the one without does not have. Ends with an error if one of these does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import quorate
from local_model import model_server, panel_of
from quorate.core.clock import HOUR_MS, format_ms
from quorate.core.settings import JournalSettings, LightGBMSettings, ModelSettings, Settings, XGBoostSettings
from quorate.llm.recordings import Recording, RecordingStore
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.recordings import RecordedReplies, record_replies

BARS, TRAIN_BARS = 1_000, 700


def settings_of(folder: Path, url: str = "") -> Settings:
    """Small members, and the panel where there is an address of it."""
    trees = ModelSettings(
        xgboost=XGBoostSettings(trees=40, colsample_node=1.0), lightgbm=LightGBMSettings(trees=40, random_splits=False)
    )
    small = Settings()
    small = replace(
        small,
        models=trees,
        train=replace(small.train, features="core14", head="classes", threads=1),
        policy=replace(small.policy, name="classic", refit="none"),
        evaluation=replace(small.evaluation, ledger=str(folder / "trials.jsonl")),
        journal=JournalSettings(url=f"sqlite:///{folder}/journal.sqlite"),
    )
    if not url:
        return small
    # The bars of the synthetic market never happened, so no model can know them; their dates say otherwise.
    return replace(small, llm=replace(panel_of(url, folder), contaminated="mark"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=12, help="bars that are recorded")
    parser.add_argument("--threads", type=int, default=1, help="of the model")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        market = SyntheticMarket(seed=3, symbols=2, bars=BARS, edge=0.3)
        market.write(folder / "data")
        start = int(market.candles(market.names[0]).time[0]) + TRAIN_BARS * HOUR_MS
        plain = settings_of(folder)
        trained = quorate.train(
            folder / "data", folder / "bundles", symbols=list(market.names), end=start,
            models=["xgboost", "lightgbm"], settings=plain,
        )  # fmt: skip
        end = span_end(trained.path, folder / "data", start, given.bars)
        with model_server(given.threads) as url:
            settings = settings_of(folder, url)
            recorded = record_replies(
                trained.path, folder / "data", start=start, end=end, settings=settings, progress=said
            )
            again = record_replies(trained.path, folder / "data", start=start, end=end, settings=settings)
        runs = {
            label: quorate.backtest(trained.path, folder / "data", start=start, end=end, settings=chosen)
            for label, chosen in (("without", plain), ("with", settings))
        }
        recordings = [each for each in RecordingStore(settings.llm.recordings).read() if isinstance(each, Recording)]
        show(recorded, recordings, {label: run.to_json() for label, run in runs.items()}, start, end)
        return check(recorded, again, recordings, {label: run.to_json() for label, run in runs.items()})


def said(stage: str, done: int, total: int) -> None:
    """Print progress."""
    print(f"{stage}: {done}/{total}", file=sys.stderr, flush=True)


def span_end(bundle: Path, data: Path, start: int, bars: int) -> int:
    """End of the shortest span from `start` on with so many bars on which the bundle acts."""
    loaded = quorate.load_bundle(bundle)
    times: list[int] = []
    for symbol in loaded.manifest.symbols:
        frame = loaded.predict_frame(quorate.load_candles(data, symbol, "1h"), allow_training_span=True).between(start)
        times += frame.time[frame.action != quorate.Action.HOLD].tolist()
    return sorted(times)[min(bars, len(times)) - 1] + HOUR_MS


def show(
    recorded: RecordedReplies, recordings: list[Recording], runs: dict[str, dict[str, Any]], start: int, end: int
) -> None:
    """Print the tables."""
    print(
        f"{format_ms(start)} to {format_ms(end)}, synthetic market, {recorded.plan.bars} bars on which the bundle acts"
    )
    print(f"{recorded.asked} questions, {recorded.seconds / max(1, recorded.asked):.1f} s each\n")
    print("| role | replies | abstentions | confidences | directions |\n|---|---|---|---|---|")
    for role in recorded.plan.models:
        own = [each for each in recordings if each.role == role]
        replies = [each.reply for each in own if each.reply is not None]
        confidences = sorted({reply.confidence for reply in replies})
        spread = f"{confidences[0]:g} to {confidences[-1]:g}" if confidences else ""
        directions = Counter(reply.direction.name for reply in replies)
        named = ", ".join(f"{name} {count}" for name, count in sorted(directions.items()))
        print(f"| {role} | {len(replies)} | {len(own) - len(replies)} | {spread} | {named} |")
    print("\nReasons of abstentions:\n")
    for reason, count in list(recorded.abstentions.items())[:8]:
        print(f"- {count}: {reason[:200]}")
    print("\n| backtest | entries | net USD | win rate | maximum drawdown |\n|---|---|---|---|---|")
    for label, document in runs.items():
        stats = document["stats"]
        net = sum(trade["net_usd"] for trade in document["trades"])
        rate = "n/a" if stats["win_rate"] is None else f"{stats['win_rate']:.1%}"
        print(f"| {label} the panel | {stats['n']} | {net:+.2f} | {rate} | {stats['max_drawdown']:.2%} |")
    for warning in runs["with"].get("warnings", []):
        print(f"\n{warning}")


def check(
    recorded: RecordedReplies, again: RecordedReplies, recordings: list[Recording], runs: dict[str, dict[str, Any]]
) -> int:
    """What has to hold; 1 where something does not."""
    entries = {
        label: {(trade["symbol"], trade["entry_time"]) for trade in document["trades"]}
        for label, document in runs.items()
    }
    held = {
        "every question was answered": not recorded.failures and recorded.stopped is None,
        "every answer is recorded, valid or not": len(recordings) == recorded.asked > 0,
        "a second run asks nothing": again.asked == 0 and again.plan.recorded == len(recordings),
        "confidences of replies are from 0 to 1": all(
            0 <= each.reply.confidence <= 1 for each in recordings if each.reply
        ),
        "entries with the panel are among those without": entries["with"] <= entries["without"],
        "the run with the panel is marked as contaminated": any(
            "CONTAMINATED" in warning for warning in runs["with"].get("warnings", [])
        )
        or not any(each.reply for each in recordings),
    }
    print()
    for what, holds in held.items():
        print(f"- {'yes' if holds else 'NO'}: {what}")
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
