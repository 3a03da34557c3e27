"""What a forecast of volatility would change in the gate, in stops, in position sizes and in Freqtrade's stakes.

    QUORATE_DATA=DATA python benchmarks/volatility_use.py

On the markets and bars of volatility.py, none from 2025-07-01 on; every bar is an entry, long and short. Beside the
forecast stand volatility_20, which the gate reads, and ATR(14), in which stops are measured. Writes
results/volatility_use.json and .md; takes about two minutes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.core.types import BoolArray, Candles, FloatArray, IntArray
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.statistics.rank_correlation import average_ranks
from quorate.features import Bars, atr_14, volatility_20
from quorate.market import FreqtradeFolder
from quorate.models.volatility import forecast_all
from quorate.models.volatility.variance_history import VarianceHistory
from volatility import BARS, START, largest

RESULTS = Path(__file__).parent / "results"
HELD = BARS["5 bars"]  # by the documented time exit
LARGE = 0.05  # move over 5 bars that the gate is for
LIVE, EVERY = 498, 12  # bars of a live frame; hours between its forecasts, which are fitted anew for each
KINDS = ("volatility_20", "ATR(14)", "forecast")

Table = dict[str, Any]


def main() -> int:
    data = os.environ.get("QUORATE_DATA")
    if data is None:
        print("not run: set QUORATE_DATA to the folder that holds binance/, the real candles")
        return 0
    table = joined([market_rows(candles, place) for place, candles in enumerate(candles_of(data))])
    blocks = TimeBlocks(table["time"], EvaluationSettings(resamples=1_000))
    found = {
        "command": "QUORATE_DATA=DATA python benchmarks/volatility_use.py",
        "markets": int(table["market"].max()) + 1,
        "rows": len(table["time"]),
        "gate": gate(table, blocks),
        "stops": stops(table, blocks),
        "sizes": {name: sizes(table, blocks, name) for name in ("5 bars", "1 day", "7 days")},
        "live": {name: live(table, blocks, name) for name in ("5 bars", "1 day")},
    }
    text = as_markdown(found)
    print(text)
    (RESULTS / "volatility_use.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "volatility_use.md").write_text(text, encoding="utf-8")
    return 0


def candles_of(data: str) -> list[Candles]:
    return list(largest(FreqtradeFolder(Path(data) / "binance")).values())


def market_rows(candles: Candles, place: int) -> Table:
    """Every scored bar of one market: the three measures of volatility, and what followed."""
    bars, history, made = Bars(candles), VarianceHistory(candles, limit=np.inf), forecast_all(candles)
    rows = np.flatnonzero((candles.time >= START) & np.isfinite(history.ahead(HELD)))
    later = rows[:, None] + np.arange(1, HELD + 1)
    table: Table = {
        "market": np.full(len(rows), place),
        "time": candles.time[rows],
        "volatility_20": volatility_20(bars)[rows],
        "ATR(14)": (atr_14(bars) / candles.close)[rows],
        "moved": np.log(candles.close[rows + HELD] / candles.close[rows]),
        "fell": np.log(candles.low[later].min(axis=1) / candles.close[rows]),
        "rose": np.log(candles.high[later].max(axis=1) / candles.close[rows]),
    }
    for name in ("5 bars", "1 day", "7 days"):
        table[f"forecast {name}"] = made[name].value[rows]
        table[f"realised {name}"] = np.sqrt(history.ahead(BARS[name]))[rows]
    table |= {f"live {name}": np.full(len(rows), np.nan) for name in ("5 bars", "1 day")}
    for row in np.flatnonzero(table["time"] // HOUR_MS % EVERY == 0):
        short = forecast_all(candles[rows[row] + 1 - LIVE : rows[row] + 1], newest=True)
        for name in ("5 bars", "1 day"):
            table[f"live {name}"][row] = short[name].value[-1]
    table["forecast"] = table["forecast 5 bars"]
    return table


def joined(parts: list[Table]) -> Table:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def gate(table: Table, blocks: TimeBlocks) -> Table:
    """How well each measure tells large moves from small ones, and what the bars of its highest values did."""
    size, found = np.abs(table["moved"]), {}
    large = size > LARGE
    base = blocks.aucs(large, average_ranks(table["volatility_20"]))
    closed = int(np.count_nonzero(table["volatility_20"] > LARGE))
    for kind in KINDS:
        highest = np.argsort(-table[kind])
        samples = blocks.aucs(large, average_ranks(table[kind]))
        found[kind] = {
            "auc": area(large, table[kind]),
            "gain_ci": blocks.interval(samples - base),
            "closed": closed,
            "mean_move": {str(count): float(size[highest[:count]].mean()) for count in (closed, len(size) // 100)},
        }
    return {"large": float(large.mean()), "kinds": found}


def area(positive: BoolArray, score: FloatArray) -> float:
    """Area under the ROC curve."""
    order = np.argsort(score)
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    count = int(positive.sum())
    return float((rank[positive].sum() - count * (count + 1) / 2) / (count * (len(score) - count)))


def stops(table: Table, blocks: TimeBlocks) -> Table:
    """Spread of the share of stops that are hit, over hours, markets, weeks and bars of a like outlook.

    Stops are multiples of each measure, so that all of them are hit as often as one of 2 ATR.
    """
    wanted = hit(table, 2.0, "ATR(14)").mean()
    outlook = np.log(table["forecast"] / table["volatility_20"])
    groups = {
        "hour": table["time"] // HOUR_MS % 24,
        "forecast over volatility_20, tenths": np.digitize(outlook, np.quantile(outlook, np.arange(0.1, 1, 0.1))),
        "market": table["market"],
        "week": (table["time"] - START) // (7 * DAY_MS),
    }
    found, samples = {}, {}
    for kind in KINDS:
        low, high = 0.1, 20.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if hit(table, middle, kind).mean() > wanted else (low, middle)
        stopped = hit(table, low, kind)
        found[kind] = {"multiple": low, "hit": float(stopped.mean()), "spread": {}}
        for name, group in groups.items():
            found[kind]["spread"][name] = spread(stopped, group)
            if name != "week":  # a resample of days has weeks of few days
                samples[kind, name] = np.nanstd(
                    [blocks.select(group == each).means(stopped[group == each]) for each in np.unique(group)], axis=0
                )
    for kind in KINDS:
        found[kind]["change_ci"] = {
            name: blocks.interval(samples[kind, name] - samples["ATR(14)", name]) for name in groups if name != "week"
        }
    return found


def hit(table: Table, multiple: float, kind: str) -> FloatArray:
    """Share of the two sides whose stop is reached within 5 bars: 0, 0.5 or 1."""
    distance = multiple * table[kind]
    return ((table["fell"] <= -distance).astype(float) + (table["rose"] >= distance)) / 2


def spread(values: FloatArray, group: IntArray) -> float:
    """Standard deviation over groups of the mean in each."""
    return float(np.std([values[group == each].mean() for each in np.unique(group)]))


def sizes(table: Table, blocks: TimeBlocks, name: str) -> Table:
    """Positions of one risk each: how unequal their realised volatilities are, as the deviation of the logarithm."""
    return unequal(table, blocks, name, {**dict.fromkeys(KINDS[:2]), "forecast": f"forecast {name}"})


def live(table: Table, blocks: TimeBlocks, name: str) -> Table:
    """The same with forecasts fitted on the newest 498 candles alone, as a live frame holds them."""
    kinds = {"ATR(14)": None, "forecast": f"forecast {name}", "forecast of 498 candles": f"live {name}"}
    found = unequal(table, blocks, name, kinds)
    known = np.isfinite(table[f"live {name}"])
    apart = np.abs(np.log(table[f"live {name}"][known] / table[f"forecast {name}"][known]))
    found["apart"] = {"median": float(np.median(apart)), "0.95": float(np.quantile(apart, 0.95))}
    return found


def unequal(table: Table, blocks: TimeBlocks, name: str, kinds: Mapping[str, str | None]) -> Table:
    logs = {kind: np.log(table[f"realised {name}"] / table[column or kind]) for kind, column in kinds.items()}
    known = np.isfinite(np.stack(list(logs.values()))).all(axis=0)
    chosen = blocks.select(known)
    samples = {kind: deviations(chosen, values[known]) for kind, values in logs.items()}
    return {
        "rows": int(known.sum()),
        "kinds": {
            kind: {
                "deviation": float(values[known].std()),
                "change_ci": chosen.interval(samples[kind] / samples["ATR(14)"] - 1),
            }
            for kind, values in logs.items()
        },
    }


def deviations(blocks: TimeBlocks, values: FloatArray) -> FloatArray:
    """(resamples,) standard deviations."""
    return np.sqrt(np.maximum(blocks.means(values**2) - blocks.means(values) ** 2, 0.0))


def as_markdown(found: Mapping[str, Any]) -> str:
    lines = [
        "# Uses of a volatility forecast", "",
        f"`{found['command']}`: {found['markets']} perpetuals, 1h, 2025-01-01 to 2025-06-30, {found['rows']:,} bars, "
        "each an entry, long and short. No later candle was read. Intervals are of 95 %, over days.", "",
        *verdicts(found), "",
        "## Gate", "",
        f"Moves of more than {LARGE:.0%} over 5 bars, {found['gate']['large']:.1%} of all: area under the ROC curve, "
        "its gain on volatility_20, and the mean size of the move on as many bars of the highest values as have a "
        "volatility_20 above 5 %, and on 1 % of all.", "",
        "| | AUC | gain | bars | mean move | on 1 % |", "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for kind, row in found["gate"]["kinds"].items():
        low, high = row["gain_ci"]
        moves = " | ".join(f"{move:.2%}" for move in row["mean_move"].values())
        lines.append(f"| {kind} | {row['auc']:.3f} | {low:+.3f} .. {high:+.3f} | {row['closed']} | {moves} |")
    lines += [
        "", "## Stops", "",
        "Stops that are hit as often as 2 ATR: standard deviation of the share that is hit within 5 bars, over groups, "
        "and its change against ATR's.", "",
        "| | multiple | hit | " + " | ".join(found["stops"]["forecast"]["spread"]) + " |",
        "|---|---:|---:|" + "---:|" * len(found["stops"]["forecast"]["spread"]),
    ]  # fmt: skip
    for kind, row in found["stops"].items():
        cells = []
        for name, value in row["spread"].items():
            interval = row["change_ci"].get(name)
            shown = "" if interval is None or kind == "ATR(14)" else f" [{interval[0]:+.1%}, {interval[1]:+.1%}]"
            cells.append(f"{value:.1%}{shown}")
        lines.append(f"| {kind} | {row['multiple']:.2f} | {row['hit']:.1%} | {' | '.join(cells)} |")
    lines += [
        "", "## Position sizes", "",
        "Positions that are inverse to each measure: standard deviation of the logarithm of their realised volatility, "
        "and its change against ATR's. In the last rows forecasts are those of a live frame of 498 candles.", "",
        "| held | | deviation | change |", "|---|---|---:|---:|",
    ]  # fmt: skip
    for part in ("sizes", "live"):
        for name, figures in found[part].items():
            for kind, row in figures["kinds"].items():
                low, high = row["change_ci"]
                change = "" if kind == "ATR(14)" else f"{low:+.1%} .. {high:+.1%}"
                held = name if part == "sizes" else f"{name}, every {EVERY} hours"
                lines.append(f"| {held} | {kind} | {row['deviation']:.3f} | {change} |")
    apart = found["live"]["5 bars"]["apart"]
    return "\n".join([
        *lines, "",
        f"Over 5 bars, forecasts of 498 candles differ from those of the whole history by {apart['median']:.1%} in the "
        f"median and by {apart['0.95']:.1%} at the 95th percentile.", "",
    ])  # fmt: skip


def verdicts(found: Mapping[str, Any]) -> list[str]:
    """What is kept, and why not."""
    kinds, spreads = found["gate"]["kinds"], {kind: row["spread"] for kind, row in found["stops"].items()}
    worth = {kind: kinds[kind]["auc"] - kinds["volatility_20"]["auc"] for kind in KINDS}
    atr, ours = spreads["ATR(14)"], spreads["forecast"]

    def change(part: str, name: str, kind: str = "forecast") -> str:
        row = found[part][name]["kinds"]
        return f"{row[kind]['deviation'] / row['ATR(14)']['deviation'] - 1:+.0%}"

    short = "forecast of 498 candles"
    closed = f"{kinds['forecast']['closed']} of {found['rows']:,} bars"
    return [
        "| use | kept | because |",
        "|---|---|---|",
        f"| gate | no | it tells large moves better than volatility_20 (AUC {worth['forecast']:+.3f}), but most of "
        f"that is the ranges, which ATR(14) has too ({worth['ATR(14)']:+.3f}); the documented limit closes {closed}, "
        "where ATR(14) is as good |",
        f"| stops | no | hit more evenly over hours ({atr['hour']:.1%} to {ours['hour']:.1%}), but less so over "
        f"weeks ({atr['week']:.1%} to {ours['week']:.1%}) and no more so over markets |",
        f"| sizes | no | risks are more equal over 5 bars ({change('sizes', '5 bars')}), the documented holding time, "
        f"and clearly so over 7 days ({change('sizes', '7 days')}); but with the 498 candles of a live frame "
        f"{change('live', '5 bars', short)}, and sizes of paper trading and of a backtest would differ |",
        f"| Freqtrade's stakes | no | its live frames hold 498 candles: {change('live', '5 bars', short)} over 5 bars, "
        f"{change('live', '1 day', short)} over a day |",
    ]


if __name__ == "__main__":
    sys.exit(main())
