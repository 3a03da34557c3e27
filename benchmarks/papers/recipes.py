"""Training of each paper for a row of its tables; `rows.py` names the sources."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from protocol import Protocol, absolute_error, squared_error
from quorate.core.settings import NetworkSettings
from quorate.models.networks.dlinear import DLinearConfig, DLinearNetwork
from quorate.models.networks.nhits import NHiTSConfig, NHiTSNetwork
from quorate.models.networks.patchtst.network import SMALL, PatchTSTConfig, PatchTSTNetwork
from quorate.models.networks.tide import TiDEForecast, TiDEForecastConfig
from rows import Row

# Of the gradient's norm: no paper clips it.
_UNCLIPPED = 1e6

_NHITS_STEPS, _NHITS_DECAYS = 1_000, 3


def protocol(row: Row) -> Protocol:
    """Network and training of a row."""
    makers = {"nhits": _nhits, "patchtst": _patchtst, "dlinear": _dlinear, "tide": _tide}
    return makers[row.network](row)


def like_neuralforecast(row: Row, channels: int) -> Protocol:
    """Network of a row with the training of neuralforecast, for the comparison with it.

    For N-HiTS it is that of the paper. For PatchTST an example is a single channel instead of a whole window, with as
    many channels per step as in the authors' batch, and the learning rate is constant.
    """
    paper = protocol(row)
    if row.network == "nhits":
        return paper
    settings = replace(paper.settings, batch=paper.settings.batch * channels, schedule="constant")
    return replace(paper, folded=True, settings=settings, schedule=None, test_batch=None)


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


def _dlinear(row: Row) -> Protocol:
    look_back = 336

    def build(channels: int) -> nn.Module:
        return DLinearNetwork(DLinearConfig(look_back, channels, horizon=row.horizon))

    return Protocol(
        look_back,
        row.horizon,
        folded=False,
        settings=_settings(look_back, batch=32, learning_rate=5e-3, epochs=10, patience=3),
        build=build,
        loss=squared_error,
        schedule=early_decay,
        test_batch=32,
    )


def _tide(row: Row) -> Protocol:
    look_back, windows = 720, 32

    def build(channels: int) -> nn.Module:
        return TiDEForecast(TiDEForecastConfig(look_back, channels, row.horizon))

    settings = _settings(look_back, batch=windows, learning_rate=3.82e-5 * windows**0.5, epochs=20)
    return Protocol(
        look_back,
        row.horizon,
        folded=False,
        settings=replace(settings, schedule="cosine"),
        build=build,
        loss=squared_error,
    )


def _settings(look_back: int, *, batch: int, learning_rate: float, epochs: int, patience: int = 10) -> NetworkSettings:
    return NetworkSettings(
        window=look_back,
        epochs=epochs,
        batch=batch,
        optimizer="adam",
        learning_rate=learning_rate,
        weight_decay=0.0,
        clip=_UNCLIPPED,
        patience=patience,
        bf16=False,
        device="cpu",
    )


def halving(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """Schedule that halves the rate after each third of the steps.

    >>> [halving(step, 10, 1_000) for step in (0, 332, 333, 665, 666, 998)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    return 0.5 ** (step // (steps // _NHITS_DECAYS))


def late_decay(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """Schedule of the authors ("type3"): the full rate for four epochs, then times 0.9 in each epoch.

    >>> [round(late_decay(10 * epoch, 10, 1_000), 3) for epoch in (0, 3, 4, 5)]
    [1.0, 1.0, 0.9, 0.81]
    """
    return float(0.9 ** max(0, step // epoch_steps - 3))


def early_decay(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """Schedule of the authors of DLinear ("type1"): the full rate for two epochs, then half of it in each epoch.

    >>> [early_decay(10 * epoch, 10, 1_000) for epoch in (0, 1, 2, 3)]
    [1.0, 1.0, 0.5, 0.25]
    """
    return float(0.5 ** max(0, step // epoch_steps - 1))
