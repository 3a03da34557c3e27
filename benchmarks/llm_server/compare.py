"""A stack on real candles with and without a panel of one real language model, whose replies are recorded first.

    make .venv-llm/.installed
    python benchmarks/llm_server/compare.py --data DATA/binance --folder kept

The stack is trained on three perpetuals before 2025-08-01 and evaluated on what came later. It acts above a predicted
return of 8 bps instead of the cost of a round trip, which it never exceeds there; what its trades pay is unchanged. The
model's training data ends before these bars. --folder keeps bundle and recordings, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import quorate
from local_model import model_server, panel_of
from quorate.core.settings import JournalSettings, Settings
from quorate.workflows.recordings import record_replies

SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
TRAIN, TEST, END = "2024-11-01", "2025-08-01", "2025-10-15"
ACTS_ABOVE = 8e-4


def settings_of(folder: Path) -> Settings:
    """Settings without a panel; what the run writes goes below the folder."""
    base = Settings()
    return replace(
        base,
        stack=replace(base.stack, round_trip=ACTS_ABOVE),
        evaluation=replace(base.evaluation, ledger=str(folder / "trials.jsonl")),
        journal=JournalSettings(url=f"sqlite:///{folder}/journal.sqlite"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Freqtrade data folder")
    parser.add_argument("--folder", type=Path, required=True, help="of bundle, recordings and trial log")
    parser.add_argument("--threads", type=int, default=1, help="of the model")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    plain = settings_of(given.folder)
    trained = quorate.train(
        given.data, given.folder / "bundles", timeframe="1h", symbols=list(SYMBOLS), start=TRAIN, end=TEST,
        recipe="stack", method="voting", models=["xgboost", "lightgbm"], settings=plain,
    )  # fmt: skip
    span: dict[str, Any] = {"symbols": list(SYMBOLS), "start": TEST, "end": END}
    with model_server(given.threads) as url:
        settings = replace(plain, llm=panel_of(url, given.folder))
        recorded = record_replies(trained.path, given.data, **span, settings=settings, progress=said)
    evaluation = quorate.evaluate(trained.path, given.data, **span, settings=settings)
    print(f"{recorded.plan.bars} bars on which the stack acts, {TEST} to {END}; {recorded.asked} questions now\n")
    show(evaluation.to_json())


def said(stage: str, done: int, total: int) -> None:
    """Print progress."""
    print(f"{stage}: {done}/{total}", file=sys.stderr, flush=True)


def show(document: dict[str, Any]) -> None:
    """Print the tables."""
    panel = document["panel"]
    compared = panel["comparison"]
    print("| | with the panel | without | difference |\n|---|---|---|---|")
    rows = {
        "n": ".0f",
        "win_rate": ".3f",
        "expectancy_bps": ".1f",
        "sharpe": ".2f",
        "max_drawdown": ".4f",
        "net_usd": ".2f",
    }
    for name, form in rows.items():
        cells = [figure(compared[part], name, form) for part in ("with", "without", "difference")]
        print(f"| {name} | {' | '.join(cells)} |")
    entries = compared["entries"]
    print("\n| entries of the account without the panel | number | vetoed by the panel |\n|---|---|---|")
    for outcome in ("losing", "other"):
        share = interval(entries[f"{outcome}_removed_share"], entries[f"{outcome}_removed_ci"], ".1%")
        print(f"| {outcome} | {entries[outcome]} | {share} |")
    print(f"| apart | | {interval(entries['kept_apart'], entries['kept_apart_ci'], '.1%')} |")
    strengths = ", ".join(f"{name} {count}" for name, count in panel["strengths"].items())
    replies = ", ".join(f"{role} {count}" for role, count in panel["found"]["replies"].items())
    print(f"\nStrengths of the {panel['entries']} decisions: {strengths}.")
    abstentions = sum(panel["found"]["abstentions"].values())
    print(f"Replies: {replies}; {abstentions} abstentions; {panel['contaminated']} contaminated.")
    print("\n| criterion | target | measured | met |\n|---|---|---|---|")
    for row in document["criteria"]:
        if row["name"].startswith("stack"):
            met = {True: "yes", False: "no", None: "n/a"}[row["ok"]]
            print(f"| {row['name']} | {row['target']} | {row['shown']} | {met} |")


def figure(part: dict[str, Any], name: str, form: str) -> str:
    """A figure of an account with its interval, where it has them."""
    return "n/a" if part.get(name) is None else interval(part[name], part.get(f"{name}_ci"), form)


def interval(value: float, between: list[float] | None, form: str) -> str:
    """A figure, and the interval around it."""
    return f"{value:{form}}" + (f" ({between[0]:{form}} to {between[1]:{form}})" if between else "")


if __name__ == "__main__":
    main()
