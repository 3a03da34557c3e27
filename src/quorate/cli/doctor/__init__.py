"""`quorate doctor`: what is installed, where the data is, and what is missing for which verb."""

from quorate.cli.doctor.command import doctor

__all__ = ["doctor"]
