"""Checkpoint of a training run: a run that is killed at any moment resumes and ends with the same weights.

One safetensors file, replaced atomically, with the rest of the state as JSON in its header and a digest of both, by
which a truncated or corrupted file is recognised.
"""

from __future__ import annotations

import glob
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from quorate.core.errors import DataError, ModelError
from quorate.core.files import write_atomic
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, parse_json

_FORMAT = "quorate-checkpoint-2"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class CheckpointState:
    """State that a run is resumed from.

    Attributes:
        position: numbers, and lists of them.
        tensors: weights, the moments of the optimizer, the best weights so far.
    """

    position: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


class Checkpoint:
    """The checkpoint file of one run.

    Args:
        path: of the file.
        name: of the network, for messages.
        identity: what the weights depend on, by name; the state of a run with another identity is not used.
    """

    def __init__(self, path: Path, name: str, identity: Mapping[str, str]) -> None:
        self.path = path
        self._name = name
        self._identity = dict(identity)
        self._warned = False

    def content(self) -> bytes | None:
        """The bytes of the file; None if there is none. Removes temporary files of an interrupted write."""
        for left in self.path.parent.glob(f".{glob.escape(self.path.name)}.*"):
            left.unlink(missing_ok=True)
        try:
            return read_regular(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error

    def state(self, content: bytes) -> CheckpointState | None:
        """The state in the bytes of a file; None, with a warning in the log, if it is of another run.

        Raises:
            ModelError: a truncated or corrupted file.
        """
        try:
            header = _header(content)
            tensors = safetensors.torch.load(content)
            if header["digest"] != _digest(header["state"], tensors):
                raise self._unreadable("content that does not match its digest")
            state = parse_json(header["state"])
            identity, position = state["identity"], state["position"]
        except (safetensors.SafetensorError, *MISSHAPEN) as error:
            raise self._unreadable(repr(error)) from error
        differs = [key for key in {**self._identity, **identity} if identity.get(key) != self._identity.get(key)]
        if differs:
            _log.warning(
                "%s: %s is of another run (%s); training starts from the beginning",
                self._name,
                self.path,
                "; ".join(f"{key} {identity.get(key)}, now {self._identity.get(key)}" for key in sorted(differs)),
            )
            return None
        return CheckpointState(position, tensors)

    def write(self, state: CheckpointState) -> None:
        """Replace the file. If it cannot be written, the run continues and the log has one warning."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors.items()}
        text = json.dumps({"identity": self._identity, "position": state.position}, sort_keys=True)
        header = {"format": _FORMAT, "state": text, "digest": _digest(text, tensors)}
        content = safetensors.torch.save(tensors, header)
        try:
            write_atomic(self.path, lambda temporary: _write(temporary, content))
        except DataError as error:
            if not self._warned:
                _log.warning("%s: training continues without a checkpoint: %s", self._name, error)
                self._warned = True

    def remove(self) -> None:
        """Remove the file at the end of the run."""
        self.path.unlink(missing_ok=True)

    def _unreadable(self, found: str) -> ModelError:
        return ModelError(
            f"resume training {self._name} from {self.path}",
            found=found,
            expected="a complete checkpoint",
            remedy="Remove the file to train from the beginning.",
        )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _header(content: bytes) -> dict[str, str]:
    """The text fields of a safetensors file: 8 bytes with the header's length, the header as JSON, the tensors."""
    length = int.from_bytes(content[:8], "little")
    fields = parse_json(content[8 : 8 + length])["__metadata__"]
    if fields["format"] != _FORMAT:
        raise ValueError(f"a file of {fields['format']}")
    return dict(fields)


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).contiguous().numpy().tobytes())
    return digest.hexdigest()
