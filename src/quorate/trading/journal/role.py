"""Roles of programs that open a journal."""

from __future__ import annotations

from typing import Literal

#: session: read and write, one at a time per account; human: read, and write requests of a person beside a session;
#: notifier: read, and write which messages were delivered beside a session;
#: reader: read.
Role = Literal["session", "human", "notifier", "reader"]

#: Kinds of records that are written beside a session.
BESIDE: dict[Role, str] = {"human": "human", "notifier": "notified"}
