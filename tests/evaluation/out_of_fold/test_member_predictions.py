"""Scores out of fold from decided bars, and their file."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from quorate.core.clock import HOUR_MS
from quorate.core.errors import DataError, EvaluationError
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.predictions_file import read_predictions, write_predictions
from quorate.targets import ForwardClass

TARGET = ForwardClass(horizon=2, band=0.003)


@pytest.fixture(scope="module")
def made(make_run):
    run = make_run()
    return run, MemberPredictions.of_frames(run.frames, run.candles, TARGET, 4)


def test_rows_are_the_decided_bars_with_an_outcome(made):
    run, rows = made
    bars = sum(len(frame) for frame in run.frames.values())
    assert len(rows) == bars - 2 * TARGET.horizon
    assert (np.diff(rows.time) >= 0).all()
    assert (rows.span_end - rows.time == 2 * HOUR_MS).all()
    assert np.bincount(rows.fold).tolist() == pytest.approx([len(rows) / 4] * 4, abs=4)
    for place in (5, 400, len(rows) - 1):
        symbol = rows.symbols[rows.symbol[place]]
        candles, frame = run.candles[symbol], run.frames[symbol]
        at = int(np.searchsorted(candles.time, rows.time[place]))
        assert rows.forward_return[place] == candles.close[at + 2] / candles.close[at] - 1
        np.testing.assert_array_equal(rows.members["xgboost"][place], frame.scores["xgboost"][at])


def test_the_file_gives_the_same_rows(made, tmp_path):
    _, rows = made
    write_predictions(tmp_path / "p.parquet", rows)
    found = read_predictions(tmp_path / "p.parquet")
    for name in ("y", "time", "span_end", "fold", "symbol", "forward_return", "volatility"):
        np.testing.assert_array_equal(getattr(found, name), getattr(rows, name), err_msg=name)
        assert getattr(found, name).dtype == getattr(rows, name).dtype
    for mine, theirs in ((found.members, rows.members), (found.regime, rows.regime)):
        assert list(mine) == list(theirs)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])
    assert (found.symbols, found.timeframe, found.synthetic) == (rows.symbols, "1h", rows.synthetic)


def altered(column, values, tmp_path, rows):
    path = tmp_path / "altered.parquet"
    write_predictions(path, rows)
    table = parquet.read_table(path)
    place = table.column_names.index(column)
    parquet.write_table(table.set_column(place, column, pa.array(values)), path)
    return path


def test_other_files_are_refused(made, tmp_path):
    _, rows = made
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(DataError, match="another file"):
        read_predictions(tmp_path / "text.parquet")
    with pytest.raises(DataError, match="No such file"):
        read_predictions(tmp_path / "none.parquet")
    parquet.write_table(pa.table({"time": [1]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="another file"):
        read_predictions(tmp_path / "other.parquet")
    n = len(rows)
    with pytest.raises(DataError, match="symbols numbered"):
        read_predictions(altered("symbol", np.full(n, 9), tmp_path, rows))
    with pytest.raises(DataError, match="another file"):
        read_predictions(altered("time", ["x"] * n, tmp_path, rows))
    with pytest.raises(EvaluationError, match="label 7"):
        read_predictions(altered("y", np.full(n, 7), tmp_path, rows))
    with pytest.raises(EvaluationError, match="three scores"):
        read_predictions(altered("score.xgboost.BUY", np.full(n, 3.0), tmp_path, rows))


def test_rows_without_a_member_are_refused(made):
    _, rows = made
    with pytest.raises(EvaluationError, match="0 members"):
        replace(rows, members={})
    with pytest.raises(EvaluationError, match="at least one member"):
        rows.select(np.zeros(len(rows), np.bool_))
