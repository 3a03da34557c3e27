"""Recomputation of activations in the backward pass: less memory, more time."""

from __future__ import annotations

from torch import nn

from quorate.core.errors import ModelError


def set_recompute(module: nn.Module, recompute: bool, name: str) -> None:
    """Set `recompute` on every submodule that has this attribute.

    Raises:
        ModelError: recomputation is requested and no submodule supports it.
    """
    supporting = [part for part in module.modules() if hasattr(part, "recompute")]
    if recompute and not supporting:
        raise ModelError(
            f"fit {name}",
            found="recompute = true",
            expected="a network that can recompute its activations",
            remedy="Set recompute to false for it.",
        )
    for part in supporting:
        part.recompute = recompute  # type: ignore[assignment]
