"""Recorded replies of language models: the only ones that backtests read."""

from quorate.llm.recordings.recording import Recording, RecordingKey
from quorate.llm.recordings.store import RecordingStore

__all__ = ["Recording", "RecordingKey", "RecordingStore"]
