"""What `quorate doctor` finds: packages, machine, settings, candles, bundles, and what is missing for which verb."""

from quorate.workflows.doctor.diagnosis import Diagnosis as Diagnosis
from quorate.workflows.doctor.diagnosis import diagnose as diagnose

__all__ = ["Diagnosis", "diagnose"]
