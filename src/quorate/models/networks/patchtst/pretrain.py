"""Self-supervised pre-training of PatchTST: reconstruction of masked patches, without labels.

Nie et al., A Time Series is Worth 64 Words, 2023 (arXiv 2211.14730), section 3.2: patches without overlap, 40 % of
them masked, squared error of the masked ones only.
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
from quorate.models.networks.training.examples import Examples


class MaskedPatches(nn.Module):
    """The pre-trained module: (B, L, F) windows to the (B, F, M) squared errors of their M masked patches.

    The masked patches of each channel of each window are drawn in each pass from torch's random numbers. A masked patch
    is set to 0 after the normalisation, as published.

    Args:
        network: its RevIN and backbone are trained in place, its head is not.
        share: of the patches to mask; at least one patch is masked and one is not.

    Raises:
        ModelError: overlapping patches or end padding, through which masked bars would be visible, or fewer than two
            patches.
    """

    def __init__(self, network: PatchTSTNetwork, share: float = 0.4) -> None:
        super().__init__()
        c = network.config
        if c.patch != c.stride or c.end_padding or c.patches < 2:
            raise ModelError(
                "pre-train patchtst",
                found=f"{c.patches} patches of {c.patch} bars every {c.stride} bars"
                + (", with end padding" if c.end_padding else ""),
                expected="at least two patches, a stride equal to the patch, and no end padding",
                remedy="Set its stride to its patch, or its pretrain_epochs to 0.",
            )
        if not 0 < share < 1:
            raise ModelError("pre-train patchtst", found=f"a masked share of {share:g}", expected="between 0 and 1")
        self.revin = network.revin
        self.backbone = network.backbone
        self.masked = min(max(1, round(share * c.patches)), c.patches - 1)
        self.dropout = Dropout(c.head_dropout)
        self.reconstruct = nn.Linear(c.encoder.width, c.patch)

    def forward(self, x: Tensor) -> Tensor:
        c = self.backbone.config
        normalised, _ = self.revin(x)
        B, _, F = x.shape
        bars = align(normalised.transpose(1, 2), c.patch, c.stride, end_padding=False).reshape(B * F, -1)
        patches = cut(bars, c.patch, c.stride)  # (BF, N, P)
        mask = random_mask(len(patches), c.patches, self.masked).to(x.device)
        visible = patches.masked_fill(mask[..., None], 0.0)
        tokens = self.backbone.encode(self.backbone.embedding.embed(visible))  # (BF, N, D)
        reconstructed = self.reconstruct(self.dropout(tokens[mask]))  # (BFM, P), of the masked patches only
        errors = functional.mse_loss(reconstructed.float(), patches[mask], reduction="none").mean(dim=-1)
        return errors.reshape(B, F, self.masked)


def random_mask(sequences: int, patches: int, count: int) -> Tensor:
    """(S, N) bool with `count` patches of each row true, drawn uniformly without replacement."""
    drawn = torch.rand(sequences, patches).argsort(dim=1)[:, :count]
    return torch.zeros(sequences, patches, dtype=torch.bool).scatter_(1, drawn, True)


def reconstruction_loss(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:  # noqa: ARG001 - a Loss
    """Mean of the errors that `MaskedPatches` returns, weighted by window."""
    errors = output.flatten(1).mean(dim=1)
    return errors.mean() if weight is None else (errors * weight).mean()


class Unlabelled:
    """The inputs of other examples, without their targets.

    Args:
        examples: with the inputs.
    """

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def batch(self, rows: IntArray) -> tuple[Tensor, Tensor, None]:
        """Inputs of (b,) rows; the targets are unused and equal to the inputs."""
        inputs, _, _ = self._examples.batch(rows)
        return inputs, inputs, None


@contextmanager
def probing(network: PatchTSTNetwork) -> Iterator[None]:
    """Linear probing: only the head is trained within the block."""
    network.freeze()
    try:
        yield
    finally:
        network.freeze(False)
