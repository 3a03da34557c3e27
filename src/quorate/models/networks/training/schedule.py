"""Learning-rate schedules: pure functions of the step, so that a resumed run needs no state of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import cos, pi

# (step from 0, steps of an epoch, total steps) -> factor of the highest learning rate
Schedule = Callable[[int, int, int], float]

_RISE = 0.3  # share of the steps until the highest rate
_START, _END = 1 / 25, 1 / 25e4  # of the highest rate


def one_cycle(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """One-cycle schedule: cosine increase over 30 % of the steps, then cosine decrease to almost 0.

    Smith and Topin, Super-Convergence, 2017 (arXiv 1708.07120), with the defaults of torch's OneCycleLR.

    >>> [round(one_cycle(step, 10, 11), 2) for step in (0, 2, 5, 10)]
    [0.04, 0.96, 0.73, 0.0]
    """
    top = _RISE * steps - 1
    last = steps - 1
    if step <= top:
        return _anneal(_START, 1.0, step / top if top > 0 else 1.0)
    return _anneal(1.0, _END, (step - top) / (last - top) if last > top else 0.0)


def cosine(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """Cosine annealing from the highest rate to 0, without restarts.

    Loshchilov and Hutter, SGDR, 2016 (arXiv 1608.03983), equation 5.

    >>> [round(cosine(step, 10, 100), 2) for step in (0, 50, 99)]
    [1.0, 0.5, 0.0]
    """
    return _anneal(1.0, 0.0, step / steps)


def constant(step: int, epoch_steps: int, steps: int) -> float:  # noqa: ARG001 - a Schedule
    """Constant learning rate."""
    return 1.0


SCHEDULES: Mapping[str, Schedule] = {"one_cycle": one_cycle, "cosine": cosine, "constant": constant}


def _anneal(first: float, last: float, progress: float) -> float:
    return last + (first - last) * (1 + cos(pi * progress)) / 2
