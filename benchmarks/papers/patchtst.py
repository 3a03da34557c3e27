"""PatchTST as its authors run it on the small data sets: the configuration of their scripts for ETTh1 and ETTh2.

    QUORATE_DATA=FOLDER python benchmarks/papers/patchtst.py SERIES HORIZON SEED [SEED ...] [--out FILE]

Nie et al., 2023 (arXiv 2211.14730), table 3, PatchTST/42; github.com/yuqinie98/PatchTST, PatchTST_supervised/scripts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from protocol import Protocol, run, squared_error
from series import load
from torch import nn

from quorate.core.settings import NetworkSettings
from quorate.models.networks.patchtst_network import SMALL, PatchTSTConfig, PatchTSTNetwork

LOOK_BACK, EPOCHS, BATCH = 336, 100, 128

# MSE and MAE as published.
PUBLISHED = {("ETTh1", 96): (0.375, 0.399), ("ETTh1", 192): (0.414, 0.421), ("ETTh2", 96): (0.274, 0.336)}


def schedule(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """The authors' "type3": the full rate for two epochs, then a tenth less with each one.

    Their first epoch runs at a 25th: they build a one-cycle schedule beside it, which sets the rate as it is built, and
    correct the rate only after that epoch.
    """
    epoch = step // epoch_steps
    return 1 / 25 if epoch == 0 else 0.9 ** max(0, epoch - 3)


def network(channels: int, horizon: int) -> nn.Module:
    """The authors' small configuration."""
    shape = {"patch": 16, "stride": 8, "end_padding": True, "encoder": SMALL}
    return PatchTSTNetwork(PatchTSTConfig(channels, LOOK_BACK, horizon, "forecast", **shape))


def protocol(horizon: int, *, bf16: bool = False) -> Protocol:
    """How it is trained: every window with all of its channels, Adam, patience 10."""
    return Protocol(
        look_back=LOOK_BACK,
        horizon=horizon,
        folded=False,
        settings=NetworkSettings(
            epochs=EPOCHS,
            batch=BATCH,
            optimizer="adam",
            learning_rate=1e-4,
            weight_decay=0.0,
            clip=1e6,
            patience=10,
            bf16=bf16,
        ),
        build=lambda channels: network(channels, horizon),
        loss=squared_error,
        schedule=schedule,
        test_batch=BATCH,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", choices=sorted({name for name, _ in PUBLISHED}))
    parser.add_argument("horizon", type=int)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true", help="matrix products in bfloat16, where the processor has it")
    parser.add_argument("--out", type=Path, help="file of JSON lines, one is added for each run")
    options = parser.parse_args()
    series = load(options.series)
    for seed in options.seeds:
        began = time.perf_counter()

        def tell(done: int, total: int, began: float = began) -> None:
            if done % 500 == 0:
                print(f"step {done} of {total}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)

        result = run(
            series,
            protocol(options.horizon, bf16=options.bf16),
            name="patchtst",
            seed=seed,
            threads=options.threads,
            progress=tell,
        )
        told = {"network": "PatchTST", "series": options.series, "horizon": options.horizon, "seed": seed}
        line = json.dumps(told | {"published": PUBLISHED.get((options.series, options.horizon))} | asdict(result))
        print(line, flush=True)
        if options.out is not None:
            with options.out.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
