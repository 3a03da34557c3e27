"""The same rows with neuralforecast's NHITS and PatchTST, for comparison.

    QUORATE_DATA=FOLDER PYTHON benchmarks/papers/peer.py [--only WORD ...] [--seeds N ...] [--threads N] [--fresh]

PYTHON is that of a separate environment with neuralforecast, which pins versions of its dependencies. Data, windows,
sizes, batch shape, learning rate, steps and patience are the same; PatchTST takes at most as many steps as Quorate's
did, so run.py --like-neuralforecast comes first. Writes papers_peer.json beside its file; run.py adds it to the page.

neuralforecast's perceptron has no activation after its first layer; with one entry of `mlp_units` its matrices have the
shapes of Quorate's. Its PatchTST always has batch norm, which `batch_normalization` moves in front of each sublayer; in
the authors' code it comes after. `same.py` shows that with these settings it is the same function as Quorate's. It
draws each batch from all windows, and keeps the last weights, not the best.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import series
from rows import Row, chosen

RESULTS = Path(__file__).parents[1] / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows whose names contain one of these")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], metavar="N")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="run finished rows again")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of papers_peer.json")
    options = parser.parse_args()
    path = options.out / "papers_peer.json"
    runs: dict[str, Any] = json.loads(path.read_text())["runs"] if path.exists() else {}
    for row in (row for row in chosen(options.only) if row.has_peer):
        for seed in options.seeds:
            key = f"{row.name}-seed{seed}"
            if key in runs and not options.fresh:
                print(f"{key}: already finished", file=sys.stderr)
                continue
            runs[key] = run(row, seed, options.threads, steps(row, seed, options.out))
            path.write_text(json.dumps({"runs": runs}, indent=1) + "\n", encoding="utf-8")
            print(f"{key}: MSE {runs[key]['mse']:.4f} MAE {runs[key]['mae']:.4f}", file=sys.stderr)


def steps(row: Row, seed: int, folder: Path) -> int:
    """Limit of a run's steps."""
    if row.network == "nhits":
        return 1_000
    path = folder / "papers_like_peer.json"
    ours = json.loads(path.read_text())["runs"] if path.exists() else {}
    if f"{row.name}-seed{seed}" not in ours:
        raise SystemExit(
            f"run run.py --only {row.name} --seeds {seed} --like-neuralforecast first: its steps are the limit"
        )
    return int(ours[f"{row.name}-seed{seed}"]["history"]["steps"])


def run(row: Row, seed: int, threads: int, most_steps: int) -> dict[str, Any]:
    """Train the peer's network and compute its errors on every test window."""
    try:
        import neuralforecast
        import torch
    except ImportError as error:
        raise SystemExit(
            f"{error}; run this by the Python of an environment with it: python -m venv nf && nf/bin/pip install "
            "neuralforecast==3.3.0"
        ) from error

    torch.set_num_threads(threads)
    data = series.load(row.series)
    channels = data.values.shape[1]
    ticks = clock()
    model = network(row, channels, seed, most_steps, ticks)
    _, validation, test = (data.ends[0], data.ends[1] - data.ends[0], data.ends[2] - data.ends[1])
    began = time.perf_counter()
    found = neuralforecast.NeuralForecast([model], freq=1).cross_validation(
        frame(data.values), val_size=validation, test_size=test, n_windows=None
    )
    seconds = time.perf_counter() - began
    expected = channels * row.horizon * len(data.starts("test", 1, row.horizon))
    if len(found) != expected:
        raise SystemExit(f"{len(found)} forecasts; expected {expected}")
    off = found[repr(model)].to_numpy(np.float64) - found["y"].to_numpy(np.float64)
    return {
        "row": row.name,
        "seed": seed,
        "mse": float(np.mean(off**2)),
        "mae": float(np.mean(np.abs(off))),
        "steps": len(ticks.ended),
        "step_s": float(np.median(np.diff(ticks.ended))),
        "seconds": seconds,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "threads": threads,
        "command": f"python benchmarks/papers/peer.py --only {row.name} --seeds {seed}",
        "version": neuralforecast.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
    }


def clock() -> Any:
    """Callback that appends the time of each step's end to `ended`."""
    import pytorch_lightning as lightning

    class Clock(lightning.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.ended: list[float] = []

        def __deepcopy__(self, memo: dict[int, Any]) -> Clock:
            # The peer trains a copy of its model, callbacks included; this clock is read afterwards.
            return self

        def on_train_batch_end(self, *_: Any) -> None:
            self.ended.append(time.perf_counter())

    return Clock()


def frame(values: Any) -> pd.DataFrame:
    """(n, C) values in the peer's long format."""
    rows, channels = values.shape
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(channels), rows),
            "ds": np.tile(np.arange(rows), channels),
            "y": values.T.reshape(-1),
        }
    )


def network(
    row: Row, channels: int, seed: int, most_steps: int, ticks: Any, patience: int = 10, *, remake_windows: bool = False
) -> Any:
    """The peer's network, with the settings under its names.

    Args:
        row: row of the tables.
        channels: number of channels of its series.
        seed: seed of weights and batches.
        most_steps: limit of steps.
        ticks: callback of `clock`.
        patience: validations without improvement; -1 for no validation.
        remake_windows: make all training windows in every step, as the library does; they are the same each time.
    """
    from neuralforecast.losses.pytorch import MAE, MSE
    from neuralforecast.models import NHITS, PatchTST

    shared = {
        "h": row.horizon,
        "batch_size": channels,
        "valid_batch_size": channels,
        "inference_windows_batch_size": 256,
        "max_steps": most_steps,
        "early_stop_patience_steps": patience,
        "random_seed": seed,
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "callbacks": [ticks],
    }
    if row.network == "nhits":
        return (NHITS if remake_windows else windows_once(NHITS))(
            input_size=5 * row.horizon,
            mlp_units=[[512, 512]],
            n_pool_kernel_size=list(row.pools),
            n_freq_downsample=list(row.ratios),
            loss=MAE(),
            learning_rate=1e-3,
            num_lr_decays=3,
            val_check_steps=50,
            windows_batch_size=256,
            **shared,
        )
    return (PatchTST if remake_windows else windows_once(PatchTST))(
        input_size=336,
        encoder_layers=3,
        n_heads=4,
        hidden_size=16,
        linear_hidden_size=128,
        dropout=0.3,
        fc_dropout=0.3,
        patch_len=16,
        stride=8,
        revin=True,
        revin_affine=False,
        revin_subtract_last=False,
        res_attention=True,
        batch_normalization=False,  # False puts batch norm after the sublayer
        learn_pos_embed=True,
        loss=MSE(),
        learning_rate=1e-4,
        val_check_steps=65,
        windows_batch_size=128 * channels,
        **shared,
    )


def windows_once(kind: Any) -> Any:
    """Model class that makes its training windows once."""

    class Once(kind):  # type: ignore[misc]
        def _create_windows(self, batch: Any, step: str) -> Any:
            if step != "train":
                return super()._create_windows(batch, step)
            if not hasattr(self, "_made"):
                self._made = super()._create_windows(batch, step)
            return self._made

    Once.__name__ = kind.__name__  # the name of its forecasts
    return Once


if __name__ == "__main__":
    main()
