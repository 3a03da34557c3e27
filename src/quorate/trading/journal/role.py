"""What one may do with a journal."""

from __future__ import annotations

from typing import Literal

# session: everything, one at a time for each account; human: read, and write down what a person asks for, beside a
# session; reader: read.
Role = Literal["session", "human", "reader"]
