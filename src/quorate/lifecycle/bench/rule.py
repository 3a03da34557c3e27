"""Who is benched when: by what is known of each member, and by its age."""

from __future__ import annotations

from collections.abc import Mapping

from quorate.core.clock import DAY_MS
from quorate.ensemble.inference.bench import BenchSpan, bench_states
from quorate.lifecycle.bench.looks import MemberLooks
from quorate.targets.matured_days import MaturedDays


def drifted_spans(looks: MemberLooks, days: MaturedDays, window: int) -> tuple[BenchSpan, ...]:
    """The times in which members are benched for drift, as a watcher would have benched them day after day.

    Args:
        looks: of the members.
        days: that were watched.
        window: days of a window.
    """
    states = bench_states(looks.beyond, looks.judged, window)
    spans = []
    for place, model in enumerate(looks.limits):
        start: int | None = None
        for look, benched in enumerate(states[:, place].tolist()):
            if benched and start is None:
                start = look
            elif start is not None and not benched:
                moments = days.look_at(start, window), days.look_at(look, window)
                spans.append(BenchSpan(model, *moments, looks.reason(start, model)))
                start = None
        if start is not None:
            spans.append(BenchSpan(model, days.look_at(start, window), None, looks.reason(start, model)))
    return tuple(sorted(spans, key=lambda span: span.start))


def expired_spans(
    models: tuple[str, ...], trained_until: int, shelf_days: Mapping[str, float], now: int
) -> tuple[BenchSpan, ...]:
    """The members that have expired; they come back with a newer training only.

    Args:
        models: members of the bundle.
        trained_until: end of its training span, ms.
        shelf_days: model -> age in days at which it expires.
        now: ms.
    """
    spans = []
    for model in models:
        if model in shelf_days:
            at = trained_until + round(shelf_days[model] * DAY_MS)
            if at <= now:
                spans.append(BenchSpan(model, at, None, f"expired: older than {shelf_days[model]:g} days"))
    return tuple(spans)
