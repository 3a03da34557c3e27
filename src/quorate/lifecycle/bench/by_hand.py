"""Benching by a person, who also ends it: a check neither ends nor extends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.arguments import path_of
from quorate.core.clock import now_ms
from quorate.core.errors import ArgumentError, close_match
from quorate.ensemble.inference.bench import BenchSpan
from quorate.lifecycle.bench.check import require_votes
from quorate.lifecycle.bench.member_check import BenchCheck
from quorate.lifecycle.bench.stored_bench import change_bench
from quorate.lifecycle.drift.watched import open_bundle
from quorate.workflows.inputs.arguments import settings_of

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Bundle


def put_on_bench(
    bundle: str | Path,
    model: str,
    why: str,
    by: str,
    *,
    settings: Settings | None = None,
    now: int | None = None,
) -> BenchCheck:
    """Bench a member from now on.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series (its newest bundle).
        model: the member.
        why: the reason.
        by: who decided.
        settings: None for those of quorate.toml and the environment.
        now: ms; None for the clock.

    Raises:
        ArgumentError: no such member, one that is benched by hand already, or an empty reason or name.
        BundleError: no bundle there, or a stack.
        DataError: a file that cannot be read or written.
    """
    path, loaded, attempted = _member("bench", bundle, model, settings)
    if not why.strip() or not by.strip():
        raise ArgumentError(attempted, found="no reason or no name", expected="why, and who decided, for the record")
    span = BenchSpan(model, now_ms() if now is None else now, None, why.strip(), by.strip())

    def change(before: BenchCheck | None) -> BenchCheck:
        known = BenchCheck(loaded.id) if before is None else before
        if any(held.model == model and held.by for held in known.benched):
            raise ArgumentError(attempted, found="a member that is benched by hand", expected="one that is not")
        return known.with_by_hand((span,))

    return change_bench(path, loaded.id, change)[0]


def take_off_bench(
    bundle: str | Path, model: str, *, settings: Settings | None = None, now: int | None = None
) -> BenchCheck:
    """End what a person benched; arguments and errors as of `put_on_bench`.

    Raises:
        ArgumentError: a member that is not benched by hand. What the rule benches returns by the same test.
    """
    path, loaded, attempted = _member("return", bundle, model, settings)
    end = now_ms() if now is None else now

    def change(before: BenchCheck | None) -> BenchCheck:
        held = () if before is None else tuple(span for span in before.benched if span.model == model)
        if before is None or not any(span.by for span in held):
            raise ArgumentError(
                attempted,
                found=f"{held[0].reason}, by the rule" if held else "a member that is not benched",
                expected="a member that was benched by hand",
                remedy="It returns when it passes the same test; `bench.apply = false` sets the whole bench aside."
                if held
                else "",
            )
        spans = (replace(span, end=max(end, span.start)) if span in held and span.by else span for span in before.spans)
        return replace(before, spans=tuple(spans))

    return change_bench(path, loaded.id, change)[0]


def _member(verb: str, bundle: str | Path, model: str, settings: Settings | None) -> tuple[Path, Bundle, str]:
    """The path, the bundle, and what is attempted, for errors."""
    attempted = f"{verb} {model}"
    path = path_of(attempted, "bundle", bundle)
    _, loaded = open_bundle(path, settings_of(settings))
    require_votes(loaded, f"{attempted} of")
    order = loaded.members.order
    if model not in order:
        raise ArgumentError(
            attempted, found="no such member", expected=", ".join(order), remedy=close_match(model, list(order))
        )
    return path, loaded, attempted
