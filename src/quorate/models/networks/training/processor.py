"""Threads, random numbers, device and precision of a run; the state of the caller is restored afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch

from quorate.core.errors import ModelError
from quorate.core.machine import whole_cores


@contextmanager
def isolated(seed: int, threads: int) -> Iterator[None]:
    """Set torch's seed and number of threads within the block, and restore the caller's afterwards.

    Args:
        seed: of torch's random numbers.
        threads: 0 for every core this process may use.
    """
    before = torch.get_num_threads()
    in_use = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(in_use):
        torch.set_num_threads(threads or whole_cores())
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def reseed(*parts: int) -> None:
    """Seed torch's random numbers from these non-negative integers."""
    seed = int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
    # Not torch.manual_seed, which looks for devices of every kind and is slow to call once a step.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed(seed)


def training_device(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """The device to train on; under torchrun, each process has its own GPU.

    Raises:
        ModelError: a GPU is required and torch finds none.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            "train on a GPU", found="no GPU that torch can use", expected="one", remedy='Set device to "cpu".'
        )
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def has_bf16(device: torch.device) -> bool:
    """Whether a device has bfloat16 instructions; emulated, bfloat16 is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    supported = torch.cpu.get_capabilities()
    return bool(supported.get("avx512_bf16") or supported.get("amx_bf16") or supported.get("bf16"))
