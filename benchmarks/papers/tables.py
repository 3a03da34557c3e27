"""The rows of the papers' tables that ours are held against, and how each paper trains.

N-HiTS: Challu and others, 2022 (arXiv 2201.12886), table 1; training and search space from the authors' code,
github.com/cchallu/n-hits, `nhits_multivariate.py`. Published are means over eight runs, each the best of a search by
its validation error. Every channel is an example of its own and all share the weights, as in neuralforecast; a network
that reads the seven channels of ETTm2 at once learns them by heart (validation MAE 0.322 instead of 0.235 at 96).

PatchTST: Nie and others, 2023 (arXiv 2211.14730), table 3, PatchTST/42; training from the authors' code,
github.com/yuqinie98/PatchTST, `PatchTST_supervised/scripts/PatchTST/etth1.sh` and `etth2.sh`, with a patience of 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol import Protocol, absolute_error, squared_error
from torch import nn

from quorate.core.settings import NetworkSettings
from quorate.models.networks.nhits import NHiTSConfig, NHiTSNetwork
from quorate.models.networks.patchtst import SMALL, PatchTSTConfig, PatchTSTNetwork

# Of the gradient's norm: neither paper clips it.
_UNCLIPPED = 1e6

_NHITS_STEPS, _NHITS_DECAYS = 1_000, 3


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a paper's table.

    Attributes:
        name: of the row here.
        network: "nhits" or "patchtst".
        series: data set.
        horizon: rows forecast.
        mse, mae: published; None where the paper's figure is not held against.
        tolerance: share by which ours may be worse.
        seeds: to run.
        pools, ratios: of N-HiTS, chosen from the authors' search space by the validation error.
    """

    name: str
    network: str
    series: str
    horizon: int
    mse: float
    mae: float | None
    tolerance: float
    seeds: tuple[int, ...] = (1,)
    pools: tuple[int, ...] = ()
    ratios: tuple[int, ...] = ()


ROWS = (
    Row("nhits-ETTm2-96", "nhits", "ETTm2", 96, 0.176, 0.255, 0.03, (1,), (8, 4, 1), (24, 12, 1)),
    Row("nhits-ETTm2-192", "nhits", "ETTm2", 192, 0.245, 0.305, 0.03, (1,), (8, 4, 1), (24, 12, 1)),
    Row("nhits-exchange-96", "nhits", "exchange_rate", 96, 0.092, None, 0.03, (1,), (8, 4, 1), (24, 12, 1)),
    Row("patchtst-ETTh1-96", "patchtst", "ETTh1", 96, 0.375, 0.399, 0.02, (1, 2, 3)),
    Row("patchtst-ETTh1-192", "patchtst", "ETTh1", 192, 0.414, 0.421, 0.02),
    Row("patchtst-ETTh2-96", "patchtst", "ETTh2", 96, 0.274, 0.336, 0.02),
)

# The authors' search space: poolings, and bars for each coefficient, of the three stacks.
POOLS = ((1, 1, 1), (2, 2, 2), (4, 4, 4), (8, 8, 8), (8, 4, 1), (16, 8, 1))
RATIOS = ((168, 24, 1), (24, 12, 1), (180, 60, 1), (60, 8, 1), (40, 20, 1))


def protocol(row: Row) -> Protocol:
    """How a row's network is built and trained."""
    return _nhits(row) if row.network == "nhits" else _patchtst(row)


def _nhits(row: Row) -> Protocol:
    look_back = 5 * row.horizon

    def build(channels: int) -> nn.Module:
        return NHiTSNetwork(
            NHiTSConfig(
                look_back,
                channels,
                horizon=row.horizon,
                pools=row.pools,
                hidden=(512, 512, 512),
                ratios=row.ratios,
                backcast_ratios=(1, 1, 1),
            )
        )

    return Protocol(
        look_back,
        row.horizon,
        folded=True,
        settings=_settings(look_back, batch=256, learning_rate=1e-3, epochs=1),
        build=build,
        loss=absolute_error,
        steps=_NHITS_STEPS,
        every=50,
        schedule=halving,
    )


def _patchtst(row: Row) -> Protocol:
    look_back = 336

    def build(channels: int) -> nn.Module:
        return PatchTSTNetwork(
            PatchTSTConfig(
                channels,
                look_back,
                row.horizon,
                head="forecast",
                patch=16,
                stride=8,
                end_padding=True,
                encoder=SMALL,
            )
        )

    return Protocol(
        look_back,
        row.horizon,
        folded=False,
        settings=_settings(look_back, batch=128, learning_rate=1e-4, epochs=100),
        build=build,
        loss=squared_error,
        schedule=late_decay,
        test_batch=128,
    )


def _settings(look_back: int, *, batch: int, learning_rate: float, epochs: int) -> NetworkSettings:
    return NetworkSettings(
        window=look_back,
        epochs=epochs,
        batch=batch,
        optimizer="adam",
        learning_rate=learning_rate,
        weight_decay=0.0,
        clip=_UNCLIPPED,
        patience=10,
        bf16=False,
        device="cpu",
    )


def halving(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """Half the rate after each third of the steps.

    >>> [halving(step, 10, 1_000) for step in (0, 332, 333, 665, 666, 998)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    return 0.5 ** (step // (steps // _NHITS_DECAYS))


def late_decay(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """The whole rate for four epochs, then nine tenths of the one before: the authors' "type3".

    >>> [round(late_decay(10 * epoch, 10, 1_000), 3) for epoch in (0, 3, 4, 5)]
    [1.0, 1.0, 0.9, 0.81]
    """
    return float(0.9 ** max(0, step // epoch_steps - 3))


def chosen(only: list[str]) -> tuple[Row, ...]:
    """Rows whose names contain one of the words; all of them without words."""
    found = tuple(row for row in ROWS if not only or any(word in row.name for word in only))
    if not found:
        raise SystemExit(f"no row is named {', '.join(only)}; there are {', '.join(row.name for row in ROWS)}")
    return found
