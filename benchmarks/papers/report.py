"""Page of the papers' tables: published errors, those of Quorate, those of neuralforecast."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from rows import ROWS, Row

Runs = Mapping[str, Mapping[str, Any]]
Steps = Mapping[str, Mapping[str, Any]]
Same = Mapping[str, Mapping[str, float]]


def peer_runs(folder: Path) -> Runs:
    """Runs of `peer.py` in a folder."""
    return _read(folder / "papers_peer.json", "runs")


def like_peer_runs(folder: Path) -> Runs:
    """Runs of `run.py --like-neuralforecast` in a folder."""
    return _read(folder / "papers_like_peer.json", "runs")


def step_times(folder: Path) -> Steps:
    """Figures of `steps.py` in a folder, by row."""
    return _read(folder / "papers_steps.json", "rows")


def same_functions(folder: Path) -> Same:
    """Figures of `same.py` in a folder, by row."""
    return _read(folder / "papers_same.json", "rows")


def _read(path: Path, what: str) -> Mapping[str, Mapping[str, Any]]:
    return json.loads(path.read_text())[what] if path.exists() else {}


def page(
    runs: Runs, peers: Runs, likes: Runs, steps: Steps, same: Same, rows: Sequence[Row] = ROWS
) -> tuple[str, bool]:
    """Markdown, and whether every row is present and within its tolerance."""
    lines = [
        "# Networks against their papers",
        "",
        "`python benchmarks/papers/run.py`: standard splits, no test window dropped, mean squared and absolute errors "
        "of standardised values. A ratio is Quorate / published; a row passes if no ratio exceeds 1 by more than its "
        "tolerance.",
        "",
        "| row | published MSE, MAE | Quorate | ratio | tolerance | | seeds | last batch dropped | parameters |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    fine = True
    for row in rows:
        found = [run for run in runs.values() if run["row"] == row.name]
        passed = bool(found) and passes(row, found)
        fine &= passed
        lines.append(_line(row, found, passed))
    lines += [
        "",
        "## Runs",
        "",
        "Seconds of a whole run, including validation, on a machine that may have been busy.",
        "",
        "| row | steps | epochs | stopped by | whole run, s | threads |",
        "|---|---|---|---|---|---|",
        *(_run(key, run) for key, run in runs.items() if run["row"] in {row.name for row in rows}),
        *(_run(f"{key}, like the peer", run) for key, run in likes.items() if run["row"] in {row.name for row in rows}),
    ]
    # The paper's runs of N-HiTS are trained like the peer's; those of PatchTST are not.
    beside = [(row, _of(peers, row), _of(runs if row.network == "nhits" else likes, row)) for row in rows]
    beside = [each for each in beside if _seeds(each[1]) & _seeds(each[2]) or each[0].name in steps]
    if beside:
        lines += [
            "",
            "## Beside neuralforecast",
            "",
            "`run.py --like-neuralforecast`, `peer.py` and `steps.py`: the same data, windows, sizes, batches, rates, "
            "patience and threads, at most as many steps. PatchTST has runs of its own for it: its authors train on "
            "whole windows with a decaying rate, neuralforecast on single channels with a constant one. That library "
            "keeps its last weights, Quorate those of the best validation. Errors are means over the seeds that both "
            "ran. Seconds of a step were measured alternately in one process; the library makes its windows in each "
            "step, which the runs for the errors skip.",
            "",
            "| row | Quorate: MSE, MAE | neuralforecast | ratio | by seed "
            "| Quorate: s per step | neuralforecast | ratio |",
            "|---|---|---|---|---|---|---|---|",
            *(_beside(row, theirs, ours, steps.get(row.name)) for row, theirs, ours in beside),
        ]
    compared = {row.name: same[row.name] for row in rows if row.name in same}
    if compared:
        lines += [
            "",
            "## Same function",
            "",
            "`same.py`: neuralforecast's PatchTST and Quorate's from the same weights, without dropout; its places and "
            "rates are the same. Largest difference relative to the largest value:",
            "",
            "| row | forecasts | gradients |",
            "|---|---|---|",
            *(f"| {name} | {off['forecasts']:.0e} | {off['gradients']:.0e} |" for name, off in compared.items()),
        ]
    return "\n".join(lines) + "\n", fine


def passes(row: Row, found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the mean over the seeds is within the tolerance, in both errors if both are published."""
    pairs = [(_mean(found, "mse"), row.mse), (_mean(found, "mae"), row.mae)]
    return all(ours <= published * (1 + row.tolerance) for ours, published in pairs if published is not None)


def _line(row: Row, found: Sequence[Mapping[str, Any]], passed: bool) -> str:
    published = f"{row.mse:.3f}, {'-' if row.mae is None else f'{row.mae:.3f}'}"
    if not found:
        return f"| {row.name} | {published} | not run | | {row.tolerance:.0%} | **missing** | | | |"
    mse, mae = _mean(found, "mse"), _mean(found, "mae")
    ratio = f"{mse / row.mse:.3f}" + ("" if row.mae is None else f", {mae / row.mae:.3f}")
    dropped = "none"
    if found[0]["dropped_mse"] is not None:
        dropped = f"{_mean(found, 'dropped_mse'):.4f}, {_mean(found, 'dropped_mae'):.4f}"
    seeds = ", ".join(f"{run['seed']}: {run['mse']:.4f}" for run in found)
    verdict = "pass" if passed else "**fail**"
    return (
        f"| {row.name} | {published} | {mse:.4f}, {mae:.4f} | {ratio} | {row.tolerance:.0%} | {verdict} | {seeds} "
        f"| {dropped} | {found[0]['parameters']:,} |"
    )


def _run(key: str, run: Mapping[str, Any]) -> str:
    history = run["history"]
    return (
        f"| {key} | {history['steps']:,} | {history['epochs']:.1f} | {history['stopped']} "
        f"| {history['seconds']:.0f} | {run['threads']} |"
    )


def _beside(
    row: Row,
    theirs: Sequence[Mapping[str, Any]],
    ours: Sequence[Mapping[str, Any]],
    measured: Mapping[str, Any] | None,
) -> str:
    seconds = "| not run | | |"
    if measured is not None:
        seconds = f"| {measured['ours_s']:.4f} | {measured['neuralforecast_s']:.4f} | {measured['ratio']:.2f} |"
    seeds = sorted(_seeds(ours) & _seeds(theirs))
    if not seeds:
        return f"| {row.name} | not run | | | {seconds}"
    mine, its = ([run for seed in seeds for run in runs if run["seed"] == seed] for runs in (ours, theirs))
    by_seed = "; ".join(f"{run['seed']}: {_ratio([run], [other])}" for run, other in zip(mine, its, strict=True))
    return (
        f"| {row.name} | {_mean(mine, 'mse'):.4f}, {_mean(mine, 'mae'):.4f} "
        f"| {_mean(its, 'mse'):.4f}, {_mean(its, 'mae'):.4f} | {_ratio(mine, its)} | {by_seed} {seconds}"
    )


def _ratio(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{_mean(ours, figure) / _mean(theirs, figure):.3f}" for figure in ("mse", "mae"))


def _of(runs: Runs, row: Row) -> list[Mapping[str, Any]]:
    return [run for run in runs.values() if run["row"] == row.name]


def _seeds(runs: Sequence[Mapping[str, Any]]) -> set[int]:
    return {run["seed"] for run in runs}


def _mean(runs: Sequence[Mapping[str, Any]], figure: str) -> float:
    return mean(run[figure] for run in runs)
