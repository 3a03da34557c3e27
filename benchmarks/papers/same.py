"""Comparison of neuralforecast's PatchTST and Quorate's as functions: forecasts and gradients from the same weights.

    PYTHON benchmarks/papers/same.py [--only WORD ...]

PYTHON is that of an environment with neuralforecast (as for peer.py) and TA-Lib, PYTHONPATH the folder `src`. Dropout
is off, since the libraries draw different masks; its places and rates are compared separately. Writes papers_same.json
beside papers.json; run.py adds it to the page.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import recipes
import report
from peer import clock, network
from quorate.models.networks.patchtst.dropout import Dropout
from rows import Row, chosen

RESULTS = Path(__file__).parents[1] / "results"
WINDOWS, LOOK_BACK, LAYERS = 64, 336, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=["patchtst"], metavar="WORD", help="rows whose names contain one of these"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of papers_same.json")
    options = parser.parse_args()
    found = {row.name: compare(row) for row in chosen(options.only)}
    print(found, file=sys.stderr)
    rows = {**report.same_functions(options.out), **found}
    (options.out / "papers_same.json").write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def compare(row: Row) -> dict[str, float]:
    """Largest differences of forecasts and of gradients, relative to the largest value of each."""
    theirs, ours = network(row, 1, 1, 1, clock()).model, recipes.protocol(row).build(1)
    require_same_dropout(theirs, ours)
    weights = in_our_layout({name: value.detach() for name, value in theirs.state_dict().items()}, row.horizon)
    ours.load_state_dict(weights | {name: value for name, value in ours.state_dict().items() if "running" in name})
    torch.manual_seed(1)
    windows, future = torch.randn(WINDOWS, LOOK_BACK).cumsum(1) / 10, torch.randn(WINDOWS, row.horizon)
    forecasts = [theirs(windows[:, None])[:, 0], ours(windows[..., None])[..., 0]]
    for each in forecasts:
        (each - future).square().mean().backward()
    expected = in_our_layout({name: learned.grad for name, learned in theirs.named_parameters()}, row.horizon)
    gradients = {name: learned.grad for name, learned in ours.named_parameters()}
    return {
        "forecasts": largest_difference(*forecasts),
        "gradients": largest_difference(flat(expected), flat(gradients)),
    }


def require_same_dropout(theirs: nn.Module, ours: nn.Module) -> None:
    """Compare the dropout rates of both networks, and turn dropout off.

    Raises:
        SystemExit: the rates differ.
    """
    dropped = {name: part for name, part in theirs.named_modules() if isinstance(part, nn.Dropout)}
    expected = [dropped["backbone.dropout"].p]
    for number in range(LAYERS):
        of = f"backbone.encoder.layers.{number}."
        mixed = 1 - (1 - dropped[f"{of}self_attn.to_out.1"].p) * (1 - dropped[f"{of}dropout_attn"].p)
        weights = dropped[f"{of}self_attn.sdp_attn.attn_dropout"].p
        expected += [weights, dropped[f"{of}ff.2"].p, mixed, dropped[f"{of}dropout_ffn"].p]
    expected.append(dropped["head.dropout"].p)
    found = [part for part in ours.modules() if isinstance(part, Dropout)]
    shares = [part.level / 256 for part in found]
    if not np.allclose(shares, expected, atol=1 / 256):
        raise SystemExit(f"dropout rates of Quorate are {shares}, those of the peer {expected}")
    for part in dropped.values():
        part.p = 0.0
    for part in found:
        part.level = 0


def in_our_layout(theirs: dict[str, Tensor], horizon: int) -> dict[str, Tensor]:
    """The peer's weights or gradients under Quorate's names and in its layout."""
    made = {"backbone.embedding.positions": theirs["backbone.W_pos"]}
    for kind in ("weight", "bias"):
        made[f"backbone.embedding.project.{kind}"] = theirs[f"backbone.W_P.{kind}"]
        for number in range(LAYERS):
            of = f"backbone.encoder.layers.{number}."
            heads = [theirs[f"{of}self_attn.W_{part}.{kind}"] for part in "QKV"]
            made |= {
                f"{of}attention.qkv.{kind}": torch.cat(heads),
                f"{of}attention.out.{kind}": theirs[f"{of}self_attn.to_out.0.{kind}"],
                f"{of}perceptron.0.{kind}": theirs[f"{of}ff.0.{kind}"],
                f"{of}perceptron.3.{kind}": theirs[f"{of}ff.3.{kind}"],
                f"{of}norms.0.{kind}": theirs[f"{of}norm_attn.1.{kind}"],
                f"{of}norms.1.{kind}": theirs[f"{of}norm_ffn.1.{kind}"],
            }
    # The peer's head orders its inputs by dimension, Quorate's by patch.
    patches = len(theirs["backbone.W_pos"])
    head = theirs["head.linear.weight"].reshape(horizon, -1, patches)
    made["head.project.weight"] = head.transpose(1, 2).reshape(horizon, -1)
    made["head.project.bias"] = theirs["head.linear.bias"]
    return made


def flat(parts: dict[str, Any]) -> Tensor:
    return torch.cat([parts[name].reshape(-1) for name in sorted(parts)])


def largest_difference(expected: Tensor, found: Tensor) -> float:
    return float((expected - found).detach().abs().max() / expected.detach().abs().max())


if __name__ == "__main__":
    main()
