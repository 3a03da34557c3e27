"""The error of a graph that has no form in 8 bits."""

from __future__ import annotations

from quorate.core.errors import ModelError


class NotQuantisable(ModelError):  # noqa: N818 - a kind of ModelError
    """A graph without products to quantise, or with recurrent layers of another form; it stays in single precision."""
