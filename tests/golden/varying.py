"""What two runs of the same command may differ in: one table, each row with its reason. Everything else is compared."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

_NUMBER = r"\d+(\.\d+)?(e-\d+)?"
_MOMENT = r"\"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\""


@dataclass(frozen=True, slots=True)
class Varying:
    """Values that a run does not determine.

    Attributes:
        verbs: of the commands whose documents hold them.
        path: the end of the keys that lead there, joined by dots; `*` is any key, `[]` any place in a list.
        form: regular expression of the value's whole JSON; a value of another form is left as it is, and so differs.
        instead: what is compared in its place, as JSON; may refer to groups of the form.
        why: reason.
    """

    verbs: tuple[str, ...]
    path: str
    form: str
    instead: str
    why: str


_TRAIN = ("train",)
_EVERY_RUN = ("evaluate", "backtest")
_STATUS = ("paper run", "paper status")
_JOURNAL = ("paper journal",)

VARYING = (
    Varying(_TRAIN, "models.*.seconds", _NUMBER, '"<seconds>"', "wall time of a member's training"),
    Varying(_TRAIN, "stages.[].seconds", _NUMBER, '"<seconds>"', "wall time of a stage"),
    Varying(_TRAIN, "stages.[].peak_mib", _NUMBER, '"<MiB>"', "peak memory of the process"),
    Varying(("evaluate",), "cost.*", _NUMBER, '"<seconds>"', "wall time of a stage of a walk-forward"),
    Varying(("evaluate",), "folds.[].members.*.seconds", _NUMBER, '"<seconds>"', "wall time of a member's training"),
    Varying(("evaluate",), "folds.[].beside.*.seconds", _NUMBER, '"<seconds>"', "the same, of a baseline"),
    Varying(_EVERY_RUN, "provenance.measured", _MOMENT, '"<moment>"', "when the command was run"),
    Varying(
        _EVERY_RUN, "provenance.code", r'"(\d+\.\d+\.\d+\w*)\+[0-9a-f]{12}"', r'"\1+<digest>"', "digest of the sources"
    ),
    Varying(("bundle list",), "[].published", _MOMENT, '"<moment>"', "when the training ended"),
    Varying(("bundle show",), "history.[].time", _MOMENT, '"<moment>"', "when the training ended"),
    Varying(("bundle show",), "history.[].by", r'".+"', '"<user>"', "the user who ran the command"),
    Varying(
        ("data list",), "[].bytes", r"\d+", '"<bytes>"', "size of a file that pyarrow compresses as its version does"
    ),
    Varying(_STATUS, "written_at", _MOMENT, '"<moment>"', "when the newest record was written"),
    Varying(_STATUS, "session.began", _MOMENT, '"<moment>"', "when the session began"),
    Varying(("paper rearm", "paper promote"), "at", _MOMENT, '"<moment>"', "when a person asked"),
    Varying(_JOURNAL, "[].written_at", _MOMENT, '"<moment>"', "when the record was written"),
    Varying(_JOURNAL, "[].body.at", r"\d{13}", '"<moment>"', "when a session began, or a person asked"),
    Varying(
        _JOURNAL,
        "[].key",
        r'"(started|human:\w+:\w*):\d{13}"',
        r'"\1:<moment>"',
        "the key of such a record ends with that moment",
    ),
)


def without_varying(verb: str, document: Any) -> Any:
    """The document with a placeholder for every value that `VARYING` names."""
    rows = [row for row in VARYING if verb in row.verbs]
    return _sorted(verb, _replaced(document, (), rows)) if rows else document


def _sorted(verb: str, document: Any) -> Any:
    """Bundles are listed by the second they were published in, then by id: several of a series may share a second."""
    return sorted(document, key=lambda one: one["training_span"]["from"]) if verb == "bundle list" else document


def _replaced(node: Any, path: tuple[str, ...], rows: list[Varying]) -> Any:
    if isinstance(node, dict):
        return {key: _replaced(value, (*path, key), rows) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, (*path, "[]"), rows) for value in node]
    where, leaf = ".".join(path), _dump(node)
    for row in rows:
        match = re.fullmatch(row.form, leaf) if _regex(row.path).fullmatch(where) else None
        if match is not None:
            return json.loads(match.expand(row.instead))
    return node


@cache
def _regex(path: str) -> re.Pattern[str]:
    return re.compile(r"(.*\.)?" + re.escape(path).replace(r"\*", r"[^.]+"))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
