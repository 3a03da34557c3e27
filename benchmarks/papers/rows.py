"""Rows of the papers' tables that Quorate's networks are compared with.

N-HiTS: Challu and others, 2022 (arXiv 2201.12886), table 1; training and search space from the authors' code,
github.com/cchallu/n-hits, `nhits_multivariate.py`. Published are means over eight runs, each the best of a search by
its validation error. Every channel is an example and all share the weights, as in neuralforecast; a network that reads
the seven channels of ETTm2 at once overfits (validation MAE 0.322 instead of 0.235 at 96). On exchange rates at 96,
repeating the last value has an MSE of 0.081: the published error and that of Quorate are both higher.

PatchTST: Nie and others, 2023 (arXiv 2211.14730), table 3, PatchTST/42; training from the authors' code,
github.com/yuqinie98/PatchTST, `PatchTST_supervised/scripts/PatchTST/etth1.sh` and `etth2.sh`, with a patience of 10.

DLinear: Zeng and others, 2022 (arXiv 2205.13504), table 2; training from the authors' code,
github.com/cure-lab/LTSF-Linear, `scripts/EXP-LongForecasting/Linear/etth1.sh`.

TiDE: Das and others, 2023 (arXiv 2304.08424), table 2; sizes from the authors' code, github.com/google-research,
`tide/scripts/etth1.sh`, those of the longer horizons, since the wider ones of 96 take hours of a core; a step of the
authors is one window, here it is 32, with the rate times the root of that. The published networks also read hour,
weekday and holidays, which are not among the series here. As published, the temporal decoder ends in a layer
normalisation, which of its one value leaves a constant: what forecasts is the linear map. Without that normalisation
the dense layers overfit after one epoch (0.409, 0.431).

Imports nothing of Quorate, so that the peer's environment can read the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a paper's table.

    Attributes:
        name: name of the row in this project.
        network: name of its member.
        series: data set.
        horizon: rows forecast.
        mse, mae: published errors; None where the paper's figure is not compared.
        tolerance: fraction by which Quorate's errors may be higher.
        seeds: to run.
        pools, ratios: of N-HiTS, from the authors' search space: those of the lowest validation error on ETTm2 at 96
            among the trials in benchmarks/results/papers_search.json, used for its other rows as well.
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

    @property
    def has_peer(self) -> bool:
        """Whether neuralforecast's network of that name is run beside it."""
        return self.network in ("nhits", "patchtst")


ROWS = (
    Row("nhits-ETTm2-96", "nhits", "ETTm2", 96, 0.176, 0.255, 0.03, (1,), (2, 2, 2), (180, 60, 1)),
    Row("nhits-ETTm2-192", "nhits", "ETTm2", 192, 0.245, 0.305, 0.03, (1,), (2, 2, 2), (180, 60, 1)),
    Row("nhits-exchange-96", "nhits", "exchange_rate", 96, 0.092, None, 0.03, (1,), (2, 2, 2), (180, 60, 1)),
    Row("patchtst-ETTh1-96", "patchtst", "ETTh1", 96, 0.375, 0.399, 0.02, (1, 2, 3)),
    Row("patchtst-ETTh1-192", "patchtst", "ETTh1", 192, 0.414, 0.421, 0.02),
    Row("patchtst-ETTh2-96", "patchtst", "ETTh2", 96, 0.274, 0.336, 0.02),
    Row("dlinear-ETTh1-96", "dlinear", "ETTh1", 96, 0.375, 0.399, 0.02),
    Row("tide-ETTh1-96", "tide", "ETTh1", 96, 0.375, 0.398, 0.02),
)

# The authors' search space: poolings, and bars for each coefficient, of the three stacks.
POOLS = ((1, 1, 1), (2, 2, 2), (4, 4, 4), (8, 8, 8), (8, 4, 1), (16, 8, 1))
RATIOS = ((168, 24, 1), (24, 12, 1), (180, 60, 1), (60, 8, 1), (40, 20, 1))


def chosen(only: list[str]) -> tuple[Row, ...]:
    """Rows whose names contain one of the words; all rows without words."""
    found = tuple(row for row in ROWS if not only or any(word in row.name for word in only))
    if not found:
        raise SystemExit(f"no row is named {', '.join(only)}; there are {', '.join(row.name for row in ROWS)}")
    return found
