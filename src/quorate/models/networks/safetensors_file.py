"""Model file of a network: tensors as safetensors, with a JSON header that describes the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from quorate.core.errors import ModelError
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.models.model_files import read_file, write_file

FORMAT = "quorate-network-1"

# One key only: safetensors writes several in no fixed order.
_HEADER = "quorate"


def write_weights(path: Path, header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a header and tensors; the same ones give the same bytes."""
    text = json.dumps({"format": FORMAT, **header}, sort_keys=True)
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_file(path, safetensors.torch.save(contiguous, {_HEADER: text}))


def read_weights(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the header and tensors.

    Raises:
        ModelError: no such file, a truncated one, one of another format, or tensors that are not finite.
    """
    content = read_file(path)
    try:
        tensors = safetensors.torch.load(content)
        # 8 bytes with the length of the JSON header that follows.
        length = int.from_bytes(content[:8], "little")
        header = parse_json(parse_json(content[8 : 8 + length])["__metadata__"][_HEADER])
        found = header["format"]
    except (safetensors.SafetensorError, *MISSHAPEN) as error:
        raise ModelError(f"load {path}", found=repr(error), expected=f"a file of {FORMAT}") from error
    if found != FORMAT:
        raise ModelError(f"load {path}", found=repr(found), expected=f"a file of {FORMAT}")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"load {path}", found=f"NaN or infinity in {name}", expected="finite values")
    return header, tensors


def require_tensors(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    """Raise if the names or shapes of tensors are not those of a module.

    Raises:
        ModelError: with the first tensor that is missing, unknown, or of another shape.
    """
    shapes, other = ({name: tuple(tensor.shape) for name, tensor in one.items()} for one in (found, wanted))
    for name in sorted({*shapes, *other}):
        if shapes.get(name) != other.get(name):
            raise ModelError(
                f"load {path}",
                found=f"{name} of shape {shapes.get(name, 'none')}",
                expected=f"shape {other.get(name, 'none')}",
            )
