"""Settings of the HTTP service."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import ArgumentError, SettingsError
from quorate.core.sections.section import Section, require
from quorate.core.types.shards import Shard


@dataclass(frozen=True, slots=True)
class ServeSettings(Section):
    """HTTP service: its address, what it keeps in memory, and its limits."""

    host: str = "127.0.0.1"  # address that it listens on
    port: int = 8765  # 0 for any free port
    shard: str = "1/1"  # K/N: of N services answer for the markets of the Kth part, see docs/scaling.md
    retrain: bool = False  # retrain the champion on the schedule of [retrain], in a process of its own
    drift_hours: float = 0.0  # between two checks for drift, each in a process of its own; 0: none
    bars: int = 2_000  # candles kept of each market; predictions read the newest 498
    watch_s: float = 1.0  # between two looks at the champion's pointer and at the files of candles
    retry_s: float = 30.0  # before a champion that could not be loaded, or a taken account, is tried again
    threads: int = 2  # predictions that run at the same time
    queue: int = 256  # requests that wait for a thread; further ones are answered 429
    patience_s: float = 2.0  # longest wait for a thread; then 429
    connections: int = 2_000  # open at the same time; further ones are answered 503
    header_s: float = 10.0  # timeout for a request's headers
    requests: int = 1_000  # requests in progress, event streams not counted; further ones are answered 503
    streams: int = 512  # event streams that may be open; further ones are answered 503
    body_bytes: int = 262_144  # longest request body; longer ones are answered 413
    body_s: float = 10.0  # timeout for a request's body
    keep_alive_s: float = 30.0  # before an idle connection is closed
    journal_s: float = 0.5  # between two looks at the journal of the paper account
    events: int = 1_000  # events that may wait for a client, and are sent again to one that comes back
    heartbeat_s: float = 15.0  # between two signs of life of an event stream without events
    stall_s: float = 30.0  # a client of an event stream that reads nothing for so long is disconnected
    stop_s: float = 5.0  # for requests in progress when the service stops

    def __post_init__(self) -> None:
        if not self.host.strip():
            raise SettingsError("use the setting serve.host", found=repr(self.host), expected="an address, or a name")
        try:
            Shard.parse(self.shard)
        except ArgumentError as error:
            raise SettingsError("use the setting serve.shard", found=error.found, expected=error.expected) from error
        require("serve", "port", self.port, 0, 65_535)
        require("serve", "drift_hours", self.drift_hours, 0, 24 * 366)
        require("serve", "bars", self.bars, 500, 100_000)
        require("serve", "watch_s", self.watch_s, 0.05, 600)
        require("serve", "retry_s", self.retry_s, 0.05, 86_400)
        require("serve", "threads", self.threads, 1, 64)
        require("serve", "queue", self.queue, 1, 100_000)
        require("serve", "patience_s", self.patience_s, 0.01, 60)
        require("serve", "connections", self.connections, 1, 1_000_000)
        require("serve", "header_s", self.header_s, 0.05, 600)
        require("serve", "requests", self.requests, 1, 100_000)
        require("serve", "streams", self.streams, 0, 100_000)
        require("serve", "body_bytes", self.body_bytes, 1_024, 64 << 20)
        require("serve", "body_s", self.body_s, 0.05, 600)
        require("serve", "keep_alive_s", self.keep_alive_s, 1, 3_600)
        require("serve", "journal_s", self.journal_s, 0.01, 600)
        require("serve", "events", self.events, 1, 1_000_000)
        require("serve", "heartbeat_s", self.heartbeat_s, 0.05, 600)
        require("serve", "stall_s", self.stall_s, 0.05, 3_600)
        require("serve", "stop_s", self.stop_s, 0, 600)
