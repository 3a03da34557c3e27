"""Progress of long work, the time that is left, and what slows it."""

from quorate.core.progress.callback import Progress as Progress
from quorate.core.progress.callback import ShowsRemaining as ShowsRemaining
from quorate.core.progress.callback import silent as silent
from quorate.core.progress.run_estimate import Part as Part
from quorate.core.progress.run_estimate import RunEstimate as RunEstimate

__all__ = ["Part", "Progress", "RunEstimate", "ShowsRemaining", "silent"]
