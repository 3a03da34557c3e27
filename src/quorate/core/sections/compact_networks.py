"""Settings of the networks that have a compact shape alone."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.networks import CompactSettings, RecurrentSettings
from quorate.core.sections.section import require


# In the folds of benchmarks/networks.py, each of them is better with one day than with two, and takes half the time.
@dataclass(frozen=True, slots=True)
class DaySettings(CompactSettings):
    """Training of the networks that read a day of hourly bars."""

    window: int = 24


@dataclass(frozen=True, slots=True)
class DLinearSettings(DaySettings):
    kernel: int = 13  # bars of the moving average that is the trend
    width: int = 8  # values that the window of each column is mapped to
    individual: bool = False  # layers of its own for each column, instead of shared ones

    def __post_init__(self) -> None:
        self.require("models.dlinear")
        require("models.dlinear", "kernel", self.kernel, 1, 10_000)
        require("models.dlinear", "width", self.width, 1, 65_536)


@dataclass(frozen=True, slots=True)
class GRUSettings(RecurrentSettings):
    def __post_init__(self) -> None:
        self.require_shape("models.gru")


@dataclass(frozen=True, slots=True)
class TCNSettings(DaySettings):
    width: int = 24  # channels of each block
    kernel: int = 3  # bars that a convolution reads
    blocks: int = 3  # the dilation doubles with each
    dropout: float = 0.2  # share dropped in training, in each block

    def __post_init__(self) -> None:
        self.require("models.tcn")
        require("models.tcn", "width", self.width, 1, 65_536)
        require("models.tcn", "kernel", self.kernel, 1, 10_000)
        require("models.tcn", "blocks", self.blocks, 1, 16)
        require("models.tcn", "dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, slots=True)
class InceptionSettings(DaySettings):
    filters: int = 8  # of each convolution of a module
    kernels: tuple[int, ...] = (3, 7, 15)  # bars that the convolutions of a module read, odd numbers
    modules: int = 3  # after every third one its input is added

    def __post_init__(self) -> None:
        section = "models.inception"
        self.require(section)
        require(section, "filters", self.filters, 1, 65_536)
        require(section, "modules", self.modules, 1, 64)
        for kernel in self.kernels:
            require(section, "kernels", kernel, 1, 10_000)
        if not self.kernels or not all(kernel % 2 for kernel in self.kernels):
            raise SettingsError(f"use the setting {section}.kernels", found=repr(self.kernels), expected="odd numbers")


@dataclass(frozen=True, slots=True)
class MiniRocketSettings(DaySettings):
    features_each: int = 12  # features that each of the 84 kernels gives

    def __post_init__(self) -> None:
        self.require("models.minirocket")
        require("models.minirocket", "window", self.window, 9, 10_000)
        require("models.minirocket", "features_each", self.features_each, 1, 10_000)


@dataclass(frozen=True, slots=True)
class TiDESettings(DaySettings):
    projected: int = 4  # columns of each bar after the feature projection
    width: int = 48  # of the dense blocks
    encoders: int = 1  # dense blocks
    decoders: int = 1  # dense blocks
    dropout: float = 0.3  # share dropped in training, in each dense block

    def __post_init__(self) -> None:
        section = "models.tide"
        self.require(section)
        for name in ("projected", "width"):
            require(section, name, getattr(self, name), 1, 65_536)
        for name in ("encoders", "decoders"):
            require(section, name, getattr(self, name), 1, 64)
        require(section, "dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, slots=True)
class TFTSettings(DaySettings):
    width: int = 16  # of the model
    heads: int = 2  # of the attention
    dropout: float = 0.1  # share dropped in training, before each gate and of the attention

    def __post_init__(self) -> None:
        section = "models.tft"
        self.require(section)
        require(section, "width", self.width, 1, 65_536)
        require(section, "heads", self.heads, 1, 64)
        require(section, "dropout", self.dropout, 0, 0.99)
        if self.width % self.heads:
            raise SettingsError(
                f"use the setting {section}.heads", found=repr(self.heads), expected=f"a divisor of {self.width}"
            )
