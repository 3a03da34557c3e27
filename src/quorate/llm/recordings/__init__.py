"""Recorded replies of language models: the only ones that backtests read."""

from quorate.llm.recordings.panel_usage import PanelUsage
from quorate.llm.recordings.recorded_panel import RecordedPanel
from quorate.llm.recordings.recording import Recording, RecordingKey, may_know
from quorate.llm.recordings.store import RecordingStore

__all__ = ["PanelUsage", "RecordedPanel", "Recording", "RecordingKey", "RecordingStore", "may_know"]
