"""What a challenger has learnt, in one file that is replaced atomically: a kill leaves the state before or after a bar.

A safetensors file: the native files of its members as bytes, the replay buffer as arrays, and a JSON header with the
rest, what the state belongs to, and a digest of all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.clock import iso_ms
from quorate.core.errors import DataError
from quorate.core.files import write_atomic, write_refusal
from quorate.core.regular_files import read_regular
from quorate.core.settings import OnlineSettings
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.lifecycle.online.replay import ReplayBuffer
from quorate.trading.journal import ChallengedRecord

#: Mark of a bundle that learns on, at the end of its id.
ONLINE = "-online"

_FORMAT = "quorate-online-1"
_HEADER, _MEMBER, _X, _Y = "quorate", "member/", "replay/X", "replay/y"


@dataclass(frozen=True, slots=True, eq=False)
class LearntState:
    """What was learnt by the newest update.

    Attributes:
        bar: open time in ms of the bar of that update: labels that later closes make known were not learnt from.
        updates: number of updates so far.
        rows: labelled rows that the newest trees were added on, and windows that networks have been given in all.
        natives: member -> bytes of its native file; members that have learnt nothing are left out.
        replay: buffer of the networks.
        settings: that all updates had: those of `online` but the folder, as JSON values.
    """

    bar: int
    updates: int
    rows: Mapping[str, int]
    natives: Mapping[str, bytes]
    replay: ReplayBuffer
    settings: Mapping[str, Any]


def state_file(name: str, start: ChallengedRecord, settings: OnlineSettings) -> StateFile:
    """The file of a challenge.

    Args:
        name: of the challenge.
        start: its first record.
        settings: the folder.
    """
    belongs_to = {"bundle": start.challenger.removesuffix(ONLINE), "challenge": f"{name}, begun {iso_ms(start.at)}"}
    return StateFile(Path(settings.folder) / f"{name}-{start.at}.safetensors", belongs_to)


class StateFile:
    """The file of one challenge.

    Args:
        path: of the file.
        belongs_to: bundle and challenge, by name.
    """

    def __init__(self, path: Path, belongs_to: Mapping[str, str]) -> None:
        self.path = path
        self._belongs_to = dict(belongs_to)

    def read(self) -> LearntState | None:
        """The state; None where there is no file.

        Raises:
            DataError: a damaged file, or one of another bundle or challenge.
        """
        try:
            content = read_regular(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error
        belongs_to, state = self._parsed(content)
        for name, expected in self._belongs_to.items():
            if belongs_to.get(name) != expected:
                raise DataError(
                    f"continue from what was learnt in {self.path}",
                    found=f"the {name} {belongs_to.get(name)}",
                    expected=expected,
                    remedy="Restore the file from a copy, or start a challenge of another name.",
                )
        return state

    def require_writable(self) -> None:
        """Make the folder, and require that files can be written there, before hours of learning.

        Raises:
            DataError: they cannot.
        """
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_refusal(self.path, error) from error
        if not os.access(folder, os.W_OK):
            raise DataError(
                f"keep what is learnt in {self.path}",
                found="a folder that may not be written",
                expected="a writable folder",
                remedy="Set online.folder to another one.",
            )

    def write(self, state: LearntState) -> None:
        """Replace the file.

        Raises:
            DataError: it cannot be written.
        """
        import safetensors.numpy

        tensors: dict[str, npt.NDArray[np.generic]] = {
            f"{_MEMBER}{name}": np.frombuffer(content, np.uint8) for name, content in state.natives.items()
        }
        tensors |= {_X: state.replay.X, _Y: state.replay.y}
        text = json.dumps(
            {
                "belongs_to": self._belongs_to,
                "bar": state.bar,
                "updates": state.updates,
                "rows": dict(state.rows),
                "settings": dict(state.settings),
                "seen": state.replay.seen,
                "most": state.replay.most,
            },
            sort_keys=True,
        )
        # One key only: safetensors writes several in no fixed order.
        header = json.dumps({"format": _FORMAT, "state": text, "digest": _digest(text, tensors)}, sort_keys=True)
        content = safetensors.numpy.save(tensors, {_HEADER: header})
        write_atomic(self.path, lambda temporary: _write(temporary, content))

    def _parsed(self, content: bytes) -> tuple[dict[str, str], LearntState]:
        import safetensors
        import safetensors.numpy

        try:
            tensors = safetensors.numpy.load(content)
            # 8 bytes with the length of the JSON header that follows.
            length = int.from_bytes(content[:8], "little")
            header = parse_json(parse_json(content[8 : 8 + length])["__metadata__"][_HEADER])
            if header["format"] != _FORMAT:
                raise self._unreadable(f"a file of {header['format']}")
            if header["digest"] != _digest(header["state"], tensors):
                raise self._unreadable("content that does not match its digest")
            found = parse_json(header["state"])
            natives = {
                name.removeprefix(_MEMBER): values.tobytes()
                for name, values in sorted(tensors.items())
                if name.startswith(_MEMBER)
            }
            replay = ReplayBuffer(tensors[_X], tensors[_Y], int(found["seen"]), int(found["most"]))
            rows, settings = dict(found["rows"]), dict(found["settings"])
            state = LearntState(int(found["bar"]), int(found["updates"]), rows, natives, replay, settings)
            return dict(found["belongs_to"]), state
        except (safetensors.SafetensorError, *MISSHAPEN) as error:
            raise self._unreadable(repr(error)) from error

    def _unreadable(self, found: str) -> DataError:
        return DataError(
            f"read what was learnt in {self.path}",
            found=found,
            expected="a complete file of a challenge that learns on",
            remedy="Restore it from a copy, or start a challenge of another name.",
        )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _digest(text: str, tensors: Mapping[str, npt.NDArray[np.generic]]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape} {tensors[name].dtype}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()
