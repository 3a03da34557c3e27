"""Activations that are worked out again in the backward pass instead of being kept: less memory, more time."""

from __future__ import annotations

from torch import nn

from quorate.core.errors import ModelError


def set_recompute(module: nn.Module, recompute: bool, name: str) -> None:
    """Ask for it in every part of a module that can do it, and says so by an attribute `recompute`.

    Raises:
        ModelError: asked of a network that has no such part.
    """
    able = [part for part in module.modules() if hasattr(part, "recompute")]
    if recompute and not able:
        raise ModelError(
            f"fit {name}",
            found="recompute = true",
            expected="a network that can recompute its activations",
            remedy="Set recompute to false for it.",
        )
    for part in able:
        part.recompute = recompute  # type: ignore[assignment]
