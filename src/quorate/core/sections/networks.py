"""Settings of the networks, and of their training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class NetworkSettings(Section):
    """Parameters of training shared by all networks; each has its own defaults."""

    window: int = 120  # bars of input of one prediction
    epochs: int = 10  # maximum
    share: float = 1.0  # of the training windows in an epoch: the next part of a shuffled pass
    batch: int = 256  # windows
    optimizer: Literal["adamw", "adam"] = "adamw"  # adamw decays the weights apart from the gradient
    learning_rate: float = 1e-3  # the highest of the schedule
    weight_decay: float = 0.01  # penalty on the weights; biases and scales of normalisations have none
    schedule: Literal["one_cycle", "cosine", "constant"] = "one_cycle"  # of the learning rate over the steps
    clip: float = 1.0  # maximum norm of the gradient
    patience: int = 10  # epochs without a lower validation loss before training stops
    keep: Literal["best", "last"] = "best"  # weights of the lowest validation loss, or those at the end
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"  # of classes; returns use the squared error
    focal_gamma: float = 2.0  # exponent of the focal loss
    columns: tuple[str, ...] = ()  # whose window is read, where the feature set has them; [] for all but core30's sums
    newest_width: int = 0  # of a perceptron beside the network, over every column of the newest bar; 0 for none
    balanced: bool = False  # weight the classes equally in the loss
    bf16: bool = True  # train in bfloat16 where the processor supports it
    recompute: bool = False  # recompute activations in the backward pass: less memory, more time
    tail: float = 0.001  # quantile at which features are clipped, on each side
    warm_epochs: int = 0  # of a training that begins at the weights of one on older rows; 0: each begins anew
    warm_share: float = 0.25  # `share` of such a training
    warm_rate: float = 0.3  # its learning rate, as a share of `learning_rate`
    checkpoint_s: float = 30.0  # seconds between checkpoints
    device: Literal["auto", "cpu", "cuda"] = "auto"  # for training; auto uses a GPU where torch has one

    def require(self, section: str, shortest: int = 2) -> None:
        """Check the ranges, of which the least window is `shortest` bars.

        Raises:
            SettingsError: a value out of range.
        """
        require(section, "window", self.window, shortest, 10_000)
        require(section, "epochs", self.epochs, 1, 100_000)
        require(section, "share", self.share, 1e-4, 1)
        require(section, "batch", self.batch, 1, 1_000_000)
        require(section, "learning_rate", self.learning_rate, 1e-9, 10)
        require(section, "weight_decay", self.weight_decay, 0, 10)
        require(section, "clip", self.clip, 1e-6, 1e6)
        require(section, "patience", self.patience, 1, 100_000)
        require(section, "focal_gamma", self.focal_gamma, 0, 10)
        require(section, "newest_width", self.newest_width, 0, 65_536)
        require(section, "tail", self.tail, 0, 0.25)
        require(section, "warm_epochs", self.warm_epochs, 0, 100_000)
        require(section, "warm_share", self.warm_share, 1e-4, 1)
        require(section, "warm_rate", self.warm_rate, 1e-6, 1)
        require(section, "checkpoint_s", self.checkpoint_s, 0, 86_400)


# Chosen by benchmarks/shapes.py: what the window adds is in few columns of the last two days, and the columns that sum
# up the past are read at the newest bar. One pass, since networks overfit in a second one; the last weights, since the
# lowest loss on the few days of the stopping rows is luck.
@dataclass(frozen=True, slots=True)
class CompactSettings(NetworkSettings):
    """Training of the compact shapes."""

    window: int = 48
    epochs: int = 4
    share: float = 0.25
    weight_decay: float = 1.0
    keep: Literal["best", "last"] = "last"
    columns: tuple[str, ...] = (
        "price_change", "high_low_range", "volume_change", "volume_ma_ratio", "volatility_20",
        "log_volatility_1", "log_range_1", "log_garman_klass_24",
    )  # fmt: skip
    newest_width: int = 64


@dataclass(frozen=True, slots=True)
class NHiTSSettings(CompactSettings):
    """N-HiTS; its stacks go from coarse to fine."""

    pools: tuple[int, ...] = (4, 2, 1)  # max pooling kernel of each stack
    hidden: tuple[int, ...] = (48, 48, 48)  # width of each stack
    layers: int = 2  # hidden layers of each block
    blocks: int = 1  # of each stack
    ratios: tuple[int, ...] = (12, 6, 1)  # bars per coefficient of each stack: the inverse of the expressiveness ratio
    interpolation: Literal["nearest", "linear", "cubic"] = "linear"  # between coefficients
    dropout: float = 0.5  # share of hidden units dropped in training, after each hidden layer

    def __post_init__(self) -> None:
        section = "models.nhits"
        self.require(section)
        if not len(self.pools) == len(self.hidden) == len(self.ratios) > 0:
            raise SettingsError(
                f"use the setting {section}.pools",
                found=f"{len(self.pools)} pools, {len(self.hidden)} of hidden, {len(self.ratios)} ratios",
                expected="one of each for every stack",
            )
        for name, highest in (("pools", self.window), ("hidden", 65_536), ("ratios", 10_000)):
            for value in getattr(self, name):
                require(section, name, value, 1, highest)
        require(section, "layers", self.layers, 1, 64)
        require(section, "blocks", self.blocks, 1, 64)
        require(section, "dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, slots=True)
class DocumentedNHiTSSettings(NHiTSSettings):
    """N-HiTS at the documented size."""

    window: int = 120
    learning_rate: float = 1e-4
    weight_decay: float = 0.1
    keep: Literal["best", "last"] = "best"
    columns: tuple[str, ...] = ()
    newest_width: int = 0
    hidden: tuple[int, ...] = (512, 384, 256)


@dataclass(frozen=True, slots=True)
class PatchTSTSettings(CompactSettings):
    """PatchTST; a preset replaces the settings of the architecture."""

    preset: Literal["own", "paper", "small"] = "own"  # architecture: these settings, or one of the two published ones
    patch: int = 12  # bars of a patch
    stride: int = 12  # bars between the starts of two patches
    end_padding: bool = False  # add a patch by repeating the newest bar
    embedding: Literal["linear", "convolution"] = "linear"  # embedding of patches
    positions: Literal["learnable", "sinusoidal"] = "learnable"  # encoding of the positions of patches
    width: int = 16  # of the model
    heads: int = 2  # of the attention
    layers: int = 1  # of the encoder
    feedforward: int = 32  # width
    dropout: float = 0.0  # in the encoder; at 0.2 a training step takes 40 % longer
    head_dropout: float = 0.5  # of the input of the head
    norm: Literal["layer", "batch"] = "layer"  # normalisation in the encoder
    pre_norm: bool = True  # normalise before attention and feedforward, not after
    residual_attention: bool = False  # add the attention scores of the layer below
    affine: bool = False  # learn a weight and a bias per feature in RevIN
    pretrain_epochs: int = 0  # of self-supervised training on masked patches, before training
    mask: float = 0.4  # share of the patches masked in pre-training
    probe_epochs: int = 0  # of the head alone, between pre-training and training

    def __post_init__(self) -> None:
        section = "models.patchtst"
        self.require(section)
        for name in ("width", "feedforward"):
            require(section, name, getattr(self, name), 1, 65_536)
        for name in ("heads", "layers"):
            require(section, name, getattr(self, name), 1, 64)
        for name in ("dropout", "head_dropout"):
            require(section, name, getattr(self, name), 0, 0.99)
        for name in ("pretrain_epochs", "probe_epochs"):
            require(section, name, getattr(self, name), 0, 100_000)
        require(section, "mask", self.mask, 0.01, 0.99)
        if self.preset == "own":
            require(section, "patch", self.patch, 1, self.window)
            require(section, "stride", self.stride, 1, self.patch)
            if self.width % self.heads:
                raise SettingsError(
                    f"use the setting {section}.heads", found=repr(self.heads), expected=f"a divisor of {self.width}"
                )
        if self.pretrain_epochs and (self.preset != "own" or self.patch != self.stride or self.end_padding):
            raise SettingsError(
                f"use the setting {section}.pretrain_epochs",
                found=f"{self.pretrain_epochs}, with overlapping or padded patches",
                expected="a stride equal to the patch and no end padding, so that masked bars are in no other patch",
            )
        if self.probe_epochs and not self.pretrain_epochs:
            raise SettingsError(
                f"use the setting {section}.probe_epochs",
                found=f"{self.probe_epochs}, without pre-training",
                expected="pretrain_epochs of at least 1",
            )


@dataclass(frozen=True, slots=True)
class DocumentedPatchTSTSettings(PatchTSTSettings):
    """PatchTST at the documented size."""

    window: int = 120
    learning_rate: float = 1e-4
    weight_decay: float = 0.1
    keep: Literal["best", "last"] = "best"
    columns: tuple[str, ...] = ()
    newest_width: int = 0
    width: int = 128
    heads: int = 8
    layers: int = 3
    feedforward: int = 512


@dataclass(frozen=True, slots=True)
class RecurrentSettings(CompactSettings):
    """Shape of the recurrent networks."""

    window: int = 24
    columns: tuple[str, ...] = ()
    width: int = 32  # of the state
    layers: int = 1  # recurrent layers
    head: int = 32  # width of the hidden layer between state and outputs
    dropout: float = 0.2  # share dropped in training, between the layers and before the head

    def require_shape(self, section: str) -> None:
        """Check all ranges.

        Raises:
            SettingsError: a value out of range.
        """
        self.require(section)
        require(section, "width", self.width, 1, 65_536)
        require(section, "layers", self.layers, 1, 64)
        require(section, "head", self.head, 1, 65_536)
        require(section, "dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, slots=True)
class LSTMSettings(RecurrentSettings):
    def __post_init__(self) -> None:
        self.require_shape("models.lstm")


@dataclass(frozen=True, slots=True)
class DocumentedLSTMSettings(LSTMSettings):
    """LSTM at the documented size."""

    epochs: int = 100
    share: float = 1.0
    batch: int = 32
    weight_decay: float = 0.01
    schedule: Literal["one_cycle", "cosine", "constant"] = "constant"  # since early stopping ends training
    keep: Literal["best", "last"] = "best"
    newest_width: int = 0
    width: int = 128
    layers: int = 2
    head: int = 64


#: Name of a network -> its settings at the documented size.
DOCUMENTED: Mapping[str, type[NetworkSettings]] = MappingProxyType(
    {"nhits": DocumentedNHiTSSettings, "patchtst": DocumentedPatchTSTSettings, "lstm": DocumentedLSTMSettings}
)
