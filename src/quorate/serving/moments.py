"""Times that requests name."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator


def _written(text: str) -> str:
    """Refuse numbers, which the parser would take as seconds since 1970."""
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError("a date as YYYY-MM-DD, and a time after it if needed")
    return text


#: A date, or a date and a time; UTC without a zone.
Moment = Annotated[datetime, BeforeValidator(_written)]


def moment_ms(moment: datetime) -> int:
    """A time in ms UTC."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
