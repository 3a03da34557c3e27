"""Recordings of the panel of language models: made, and shown."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.workflows.recordings.record import record_replies as record_replies
    from quorate.workflows.recordings.recorded_replies import RecordedReplies as RecordedReplies
    from quorate.workflows.recordings.recording_plan import RecordingPlan as RecordingPlan
    from quorate.workflows.recordings.shown_recordings import list_recordings as list_recordings
    from quorate.workflows.recordings.shown_recordings import load_recording as load_recording
    from quorate.workflows.recordings.shown_recordings import recordings_summary as recordings_summary
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "record": "record_replies",
            "recorded_replies": "RecordedReplies",
            "recording_plan": "RecordingPlan",
            "shown_recordings": "list_recordings load_recording recordings_summary",
        },
    )
