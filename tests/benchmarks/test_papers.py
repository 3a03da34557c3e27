"""The papers' protocol: splits, errors, and training of a network."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from quorate.models.networks.nhits import NHiTSConfig, NHiTSNetwork

FOLDER = Path(__file__).parents[2] / "benchmarks" / "papers"
MODULES = ("series", "rows", "protocol", "recipes", "report", "run")


@pytest.fixture(scope="module")
def papers():
    """The scripts' modules, which import each other from their folder."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield SimpleNamespace(**{name: import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            del sys.modules[name]


def waves(papers, rows=700, channels=2):
    """Series of two sines, with periods of 24 and 168 rows, and little noise."""
    time = np.arange(rows)[:, None] + 5 * np.arange(channels)
    noise = np.random.default_rng(0).normal(0, 0.05, (rows, channels))
    return papers.series.standardised("waves", np.sin(time * 2 * np.pi / 24) + np.sin(time * 2 * np.pi / 168) + noise)


@pytest.mark.parametrize(
    ("name", "rows", "ends", "windows"),
    [
        ("ETTh1", 17_420, (8_640, 11_520, 14_400), (8_209, 2_785, 2_785)),
        ("ETTm2", 69_680, (34_560, 46_080, 57_600), (34_129, 11_425, 11_425)),
        ("exchange_rate", 7_588, (5_311, 6_071, 7_588), (4_880, 665, 1_422)),
        ("weather", 52_696, (36_887, 42_157, 52_696), (36_456, 5_175, 10_444)),
    ],
)
def test_standard_splits_and_their_numbers_of_windows(papers, name, rows, ends, windows):
    series = papers.series.standardised(name, np.random.default_rng(1).normal(3, 2, (rows, 1)))
    assert series.ends == ends
    starts = [series.starts(part, 336, 96) for part in ("train", "validation", "test")]
    assert tuple(map(len, starts)) == windows
    # The first forecast of a part begins with its first row, the last one ends with its last.
    assert [int(each[0]) + 336 for each in starts[1:]] == list(ends[:2])
    assert [int(each[-1]) + 336 + 96 for each in starts] == list(ends)


def test_standardisation_uses_the_training_part(papers):
    values = np.random.default_rng(2).normal(3, 2, (1_000, 2))
    before = papers.series.standardised("x", values).values
    np.testing.assert_allclose(before[:700].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(before[:700].std(axis=0), 1, atol=1e-6)
    values[700:] *= 1e3
    np.testing.assert_array_equal(papers.series.standardised("x", values).values[:700], before[:700])


@pytest.mark.parametrize("rows", [100, 300])
def test_a_series_that_is_too_short_is_an_error(papers, rows):
    with pytest.raises(SystemExit, match="waves is too short for a look-back of 96 and a horizon of 48"):
        papers.protocol.Examples(waves(papers, rows), "validation", 96, 48, folded=True)


def test_missing_data_is_an_error(papers, monkeypatch, tmp_path):
    monkeypatch.delenv("QUORATE_DATA", raising=False)
    with pytest.raises(SystemExit, match="set QUORATE_DATA"):
        papers.series.load("ETTh1")
    with pytest.raises(SystemExit, match=r"no ETTh1\.csv in"):
        papers.series.load("ETTh1", tmp_path)


@pytest.mark.parametrize("folded", [True, False])
def test_examples_are_the_windows_of_their_part(papers, folded):
    series = waves(papers)
    examples = papers.protocol.Examples(series, "test", 24, 12, folded=folded)
    windows = len(series.starts("test", 24, 12))
    assert len(examples) == windows * (2 if folded else 1)
    inputs, target, weight = examples.batch(np.array([0, 7, len(examples) - 1]))
    assert weight is None
    for place, row in enumerate((0, 7, len(examples) - 1)):
        window, channels = (row // 2, slice(row % 2, row % 2 + 1)) if folded else (row, slice(None))
        first = series.ends[1] - 24 + window
        np.testing.assert_array_equal(inputs[place], series.values[first : first + 24, channels])
        np.testing.assert_array_equal(target[place], series.values[first + 24 : first + 36, channels])


class LastValue(torch.nn.Module):
    def forward(self, x):
        return x[:, -1:].expand(-1, 12, -1)


@pytest.mark.parametrize("folded", [True, False])
def test_errors_are_of_every_window_bar_and_channel(papers, folded):
    series = waves(papers)
    examples = papers.protocol.Examples(series, "test", 24, 12, folded=folded)
    squared, absolute = papers.protocol.errors(LastValue(), examples, 2 if folded else 1)
    expected = []
    for first in range(series.ends[1] - 24, series.ends[2] - 36 + 1):
        last, future = series.values[first + 23].astype(float), series.values[first + 24 : first + 36].astype(float)
        expected.append([((last - future) ** 2).mean(), np.abs(last - future).mean()])
    np.testing.assert_allclose(np.stack([squared, absolute], axis=1), expected, rtol=1e-5)


@pytest.mark.parametrize("row", [0, 3, 6, 7], ids=["nhits", "patchtst", "dlinear", "tide"])
def test_a_network_learns_with_its_papers_protocol(papers, row):
    """On a small scale: 12 rows ahead, few steps, and a test loader that drops an incomplete batch of 50."""
    small = replace(papers.rows.ROWS[row], horizon=12, pools=(4, 2, 1), ratios=(12, 6, 1))
    made = papers.recipes.protocol(small)
    settings = replace(made.settings, batch=32, learning_rate=5e-3, epochs=3)
    made = replace(made, settings=settings, steps=90, every=30, test_batch=50)
    series = waves(papers, rows=max(700, 2 * made.look_back))
    before = torch.get_num_threads()
    found = papers.protocol.run(series, made, name=small.network, seed=1)
    torch.set_num_threads(before)
    naive, _ = papers.protocol.errors(LastValue(), papers.protocol.Examples(series, "test", 24, 12, folded=False), 1)
    assert found.mse < 0.3 * naive.mean()
    assert found.history.steps == 90
    windows = len(series.starts("test", made.look_back, 12))
    assert windows % 50 != 0
    assert found.dropped_mse is not None
    assert found.dropped_mse != found.mse


def described_run(papers, row, mse, mae, seed=1):
    history = {"steps": 100, "epochs": 2.0, "stopped": "end", "seconds": 9.0}
    return {"row": row, "seed": seed, "mse": mse, "mae": mae, "dropped_mse": None, "dropped_mae": None,
            "parameters": 10, "step_s": 0.1, "threads": 1, "history": history}  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([(0.176 * 1.03, 0.255)], "pass"),
        ([(0.176 * 1.031, 0.255)], "**fail**"),
        ([(0.17, 0.255 * 1.031)], "**fail**"),
        ([(0.17, 0.25), (0.18, 0.26)], "pass"),  # the mean over the seeds
        ([(0.17, 0.25), (0.30, 0.25)], "**fail**"),
        ([], "**missing**"),
    ],
)
def test_a_row_passes_within_its_tolerance(papers, runs, verdict):
    row = papers.rows.ROWS[0]
    found = {f"{seed}": described_run(papers, row.name, *each, seed=seed) for seed, each in enumerate(runs)}
    page, fine = papers.report.page(found, {}, {}, {}, {}, (row,))
    assert fine == (verdict == "pass")
    assert f"| {verdict} |" in page


def test_the_page_compares_with_the_peer(papers):
    row = papers.rows.ROWS[0]
    ours, theirs = (described_run(papers, row.name, mse, 0.25) for mse in (0.17, 0.2))
    beside = "| nhits-ETTm2-96 | 0.1700, 0.2500 | 0.2000, 0.2500 | 0.850, 1.000 | 1: 0.850, 1.000 "
    page, _ = papers.report.page({"a": ours}, {"a": theirs}, {}, {}, {}, (row,))
    assert f"{beside}| not run | | |" in page
    taken = {row.name: {"ours_s": 0.1, "neuralforecast_s": 0.4, "ratio": 0.25}}
    page, _ = papers.report.page({"a": ours}, {"a": theirs}, {}, taken, {}, (row,))
    assert f"{beside}| 0.1000 | 0.4000 | 0.25 |" in page
    page, _ = papers.report.page({"a": ours}, {}, {}, taken, {}, (row,))
    assert "| nhits-ETTm2-96 | not run | | | | 0.1000 | 0.4000 | 0.25 |" in page


def test_only_seeds_that_both_ran_are_compared(papers):
    row = papers.rows.ROWS[0]
    ours = {str(seed): described_run(papers, row.name, 0.1 * seed, 0.2, seed=seed) for seed in (1, 2, 3)}
    theirs = {str(seed): described_run(papers, row.name, 0.2, 0.1 * seed, seed=seed) for seed in (3, 2, 4)}
    page, _ = papers.report.page(ours, theirs, {}, {}, {}, (row,))
    assert "| 0.2500, 0.2000 | 0.2000, 0.2500 | 1.250, 0.800 | 2: 1.000, 1.000; 3: 1.500, 0.667 |" in page
    page, _ = papers.report.page({"1": ours["1"]}, theirs, {}, {}, {}, (row,))
    assert "Beside neuralforecast" not in page


def test_the_page_has_the_differences_of_two_functions(papers):
    row = papers.rows.ROWS[3]
    page, _ = papers.report.page({}, {}, {}, {}, {row.name: {"forecasts": 3.4e-7, "gradients": 5.6e-7}}, (row,))
    assert "| patchtst-ETTh1-96 | 3e-07 | 6e-07 |" in page
    page, _ = papers.report.page({}, {}, {}, {}, {}, (row,))
    assert "Same function" not in page


def test_the_peer_is_compared_with_runs_trained_like_it(papers):
    row = papers.rows.ROWS[3]
    paper, like, theirs = (described_run(papers, row.name, mse, 0.39) for mse in (0.38, 0.36, 0.4))
    page, _ = papers.report.page({"a": paper}, {"a": theirs}, {"a": like}, {}, {}, (row,))
    first, _, second = page.partition("Beside neuralforecast")
    assert "| 0.3800, 0.3900 |" in first
    assert "| patchtst-ETTh1-96 | 0.3600, 0.3900 | 0.4000, 0.3900 | 0.900, 1.000 " in second
    page, _ = papers.report.page({"a": paper}, {"a": theirs}, {}, {}, {}, (row,))
    assert "Beside neuralforecast" not in page


def test_training_like_the_peer_uses_single_channels_and_a_constant_rate(papers):
    row = papers.rows.ROWS[3]
    like = papers.recipes.like_neuralforecast(row, 7)
    assert (like.folded, like.settings.batch) == (True, 7 * 128)
    assert (like.schedule, like.settings.schedule) == (None, "constant")
    nhits = papers.rows.ROWS[0]
    assert papers.run.described(nhits, papers.recipes.like_neuralforecast(nhits, 7)) == papers.run.described(
        nhits, papers.recipes.protocol(nhits)
    )


def test_step_times_are_without_validation(papers):
    series = waves(papers)
    protocol = replace(papers.recipes.protocol(papers.rows.ROWS[0]), look_back=48, horizon=24, steps=4)
    config = {"pools": (2, 1), "hidden": (8, 8), "ratios": (4, 1)}
    protocol = replace(protocol, build=lambda channels: NHiTSNetwork(NHiTSConfig(48, channels, horizon=24, **config)))
    taken = papers.protocol.step_seconds(series, protocol, name="nhits", seed=1)
    assert len(taken) == 3
    assert min(taken) > 0


def test_the_page_of_finished_rows_needs_no_data(papers, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("QUORATE_DATA", raising=False)
    (tmp_path / "papers.json").write_bytes((papers.run.RESULTS / "papers.json").read_bytes())
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "exchange", "--out", str(tmp_path)])
    assert papers.run.main() == 0
    assert "| nhits-exchange-96 | 0.092, - |" in capsys.readouterr().out


def test_another_protocol_is_another_run(papers):
    row = papers.rows.ROWS[0]
    document = papers.run.described(row, papers.recipes.protocol(row))
    other = replace(row, ratios=(60, 8, 1))
    assert papers.run.described(other, papers.recipes.protocol(other)) != document


def test_an_unknown_row_is_an_error(papers):
    with pytest.raises(SystemExit, match="no row is named nbeats; there are nhits-ETTm2-96"):
        papers.rows.chosen(["nbeats"])


def test_the_peer_names_its_missing_package(tmp_path):
    (tmp_path / "pytorch_lightning.py").write_text("raise ImportError('no pytorch_lightning here')")
    (tmp_path / "neuralforecast.py").write_text("raise ImportError('no neuralforecast here')")
    done = subprocess.run(
        [sys.executable, str(FOLDER / "peer.py"), "--only", "exchange", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert "no neuralforecast here; run this by the Python of an environment with it" in done.stderr


@pytest.mark.slow
@pytest.mark.data
def test_a_published_error_is_reached_from_scratch(papers, tmp_path, monkeypatch):
    """The quickest row; `python benchmarks/papers/run.py --fresh` runs them all."""
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "nhits-exchange-96", "--out", str(tmp_path)])
    assert papers.run.main() == 0
    assert (tmp_path / "papers.md").exists()
