"""Masked pre-training of PatchTST: hide patches, learn to say what was there. It needs no labels.

Nie et al., A Time Series is Worth 64 Words, 2023 (arXiv 2211.14730), section 3.2: patches that do not overlap, 40 % of
them hidden, squared error on the hidden ones only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.core.errors import ModelError
from quorate.core.types import IntArray
from quorate.models.networks.patchtst.dropout import Dropout
from quorate.models.networks.patchtst.network import PatchTSTNetwork
from quorate.models.networks.patchtst.patching import align, cut
from quorate.models.networks.training.fit import Examples


class MaskedPatches(nn.Module):
    """What `fit` trains: (B, L, F) windows to the (B, F, M) squared errors of their M hidden patches.

    Each channel of each window hides patches of its own, drawn anew in each pass from torch's random numbers. A hidden
    patch is 0 to the network, after the normalisation, as published.

    Args:
        network: its RevIN and backbone learn in place; its head is left alone.
        share: of the patches that are hidden; at least one, and never all of them.

    Raises:
        ModelError: patches that overlap, end padding, or fewer than two patches: what is hidden would show through, or
            nothing would be left to tell it by.
    """

    def __init__(self, network: PatchTSTNetwork, share: float = 0.4) -> None:
        super().__init__()
        c = network.config
        if c.patch != c.stride or c.end_padding or c.patches < 2:
            raise ModelError(
                "pre-train patchtst",
                found=f"{c.patches} patches of {c.patch} bars every {c.stride} bars"
                + (", the last one padded" if c.end_padding else ""),
                expected="at least two patches, a stride as long as a patch, and no end padding",
                remedy="Set its stride to its patch, or its pretrain_epochs to 0.",
            )
        if not 0 < share < 1:
            raise ModelError("pre-train patchtst", found=f"a share of {share:g} to hide", expected="between 0 and 1")
        self.revin = network.revin
        self.backbone = network.backbone
        self.hidden = min(max(1, round(share * c.patches)), c.patches - 1)
        self.dropout = Dropout(c.head_dropout)
        self.reconstruct = nn.Linear(c.encoder.width, c.patch)

    def forward(self, x: Tensor) -> Tensor:
        c = self.backbone.config
        normalised, _ = self.revin(x)
        B, _, F = x.shape
        bars = align(normalised.transpose(1, 2), c.patch, c.stride, end_padding=False).reshape(B * F, -1)
        patches = cut(bars, c.patch, c.stride)  # (BF, N, P)
        hidden = hide(len(patches), c.patches, self.hidden).to(x.device)
        shown = patches.masked_fill(hidden[..., None], 0.0)
        tokens = self.backbone.encode(self.backbone.embedding.embed(shown))  # (BF, N, D)
        told = self.reconstruct(self.dropout(tokens[hidden]))  # (BFM, P): the others are not even looked at
        errors = functional.mse_loss(told.float(), patches[hidden], reduction="none").mean(dim=-1)
        return errors.reshape(B, F, self.hidden)


def hide(sequences: int, patches: int, count: int) -> Tensor:
    """(S, N) bool, `count` of each row's patches true, every choice as likely as any other."""
    chosen = torch.rand(sequences, patches).argsort(dim=1)[:, :count]
    return torch.zeros(sequences, patches, dtype=torch.bool).scatter_(1, chosen, True)


def reconstruction_loss(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:  # noqa: ARG001 - a Loss
    """The loss `fit` needs: what `MaskedPatches` gives are errors already; weights are each window's."""
    errors = output.flatten(1).mean(dim=1)
    return errors.mean() if weight is None else (errors * weight).mean()


class Unlabelled:
    """Examples without their targets.

    Args:
        examples: whose inputs are taken.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def batch(self, rows: IntArray) -> tuple[Tensor, Tensor, None]:
        """Inputs of (b,) rows; their target is themselves."""
        inputs, _, _ = self._examples.batch(rows)
        return inputs, inputs, None


@contextmanager
def probing(network: PatchTSTNetwork) -> Iterator[None]:
    """Linear probing: within the block only the head learns, afterwards everything again."""
    network.freeze()
    try:
        yield
    finally:
        network.freeze(False)
