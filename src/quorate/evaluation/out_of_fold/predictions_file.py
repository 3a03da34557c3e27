"""Members' scores out of fold in a Parquet file: a column of each, one row a bar of a market, in order of time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from quorate.core.errors import DataError
from quorate.core.files import write_atomic
from quorate.core.regular_files import read_regular
from quorate.core.types import CLASS_NAMES, IntArray
from quorate.evaluation.metrics.classification import check_scores
from quorate.evaluation.out_of_fold.member_predictions import MemberPredictions
from quorate.evaluation.out_of_fold.regime import REGIME

_SCHEMA = 1
_KEY = b"quorate.member_predictions"
_INTEGERS = ("y", "time", "span_end", "fold", "symbol")
_NUMBERS = ("forward_return", "volatility")
_REMEDY = "Write it again: quorate evaluate --data DATA --predictions FILE."


def write_predictions(path: Path, predictions: MemberPredictions) -> None:
    """Write the scores atomically.

    Raises:
        DataError: the file cannot be written.
    """
    from pyarrow import parquet  # with it come the clients of file systems in the cloud

    columns: dict[str, Any] = {name: getattr(predictions, name) for name in (*_INTEGERS, *_NUMBERS)}
    columns |= {f"regime.{name}": values for name, values in predictions.regime.items()}
    for model, table in predictions.members.items():
        columns |= {f"score.{model}.{name}": table[:, place] for place, name in enumerate(CLASS_NAMES)}
    about = {
        "schema": _SCHEMA,
        "members": list(predictions.members),
        "symbols": list(predictions.symbols),
        "timeframe": predictions.timeframe,
        "synthetic": predictions.synthetic,
    }
    table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(about).encode()})
    write_atomic(path, lambda temporary: parquet.write_table(table, str(temporary), compression="zstd"))


def read_predictions(path: Path) -> MemberPredictions:
    """Read such a file.

    Raises:
        DataError: it is missing, or is no such file.
        EvaluationError: no row, or scores that are not class shares.
    """
    from pyarrow import parquet

    attempted = f"read the members' scores in {path}"
    try:
        content = read_regular(path)
        table = parquet.ParquetFile(pa.BufferReader(content)).read()
        about = json.loads((table.schema.metadata or {})[_KEY])
        if about["schema"] != _SCHEMA:
            raise DataError(attempted, found=f"schema {about['schema']}", expected=f"schema {_SCHEMA}", remedy=_REMEDY)
        integers = {name: _column(table, name).astype(np.int64, casting="same_kind") for name in _INTEGERS}
        numbers = {name: _column(table, name).astype(np.float64) for name in _NUMBERS}
        regime = {name: _column(table, f"regime.{name}").astype(np.float64) for name in REGIME}
        members = {
            str(model): np.stack([_column(table, f"score.{model}.{name}") for name in CLASS_NAMES], axis=1).astype(
                np.float64
            )
            for model in about["members"]
        }
        symbols, timeframe = tuple(map(str, about["symbols"])), str(about["timeframe"])
        synthetic = bool(about["synthetic"])
    except OSError as error:
        raise DataError(
            attempted, found=error.strerror or str(error), expected="a readable file", remedy=_REMEDY
        ) from error
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DataError(
            attempted,
            found=f"another file ({type(error).__name__}: {ascii(str(error))[1:81]})",
            expected="what `quorate evaluate --predictions` writes",
            remedy=_REMEDY,
        ) from error
    _require_places(attempted, integers["symbol"], len(symbols))
    for scores in members.values():
        check_scores(integers["y"], scores)
    return MemberPredictions(
        members=members,
        y=integers["y"].astype(np.int8),
        forward_return=numbers["forward_return"],
        time=integers["time"],
        span_end=integers["span_end"],
        fold=integers["fold"],
        symbol=integers["symbol"],
        symbols=symbols,
        volatility=numbers["volatility"],
        regime=regime,
        timeframe=timeframe,
        synthetic=synthetic,
    )


def _column(table: pa.Table, name: str) -> Any:
    return table.column(name).to_numpy()


def _require_places(attempted: str, symbol: IntArray, symbols: int) -> None:
    if len(symbol) and not 0 <= int(symbol.min()) <= int(symbol.max()) < symbols:
        raise DataError(
            attempted,
            found=f"symbols numbered {symbol.min()} to {symbol.max()}",
            expected=f"0 to {symbols - 1}",
            remedy=_REMEDY,
        )
