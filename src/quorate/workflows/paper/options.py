"""The options of a paper session, written once for every function that takes them."""

from __future__ import annotations

from typing import cast

from quorate.core.arguments import FUNCTION, NUMBER, require_types
from quorate.core.errors import ArgumentError
from quorate.core.types import Policy
from quorate.ensemble.inference.bench import BenchOf
from quorate.workflows.inputs.arguments import require_count, require_flags, require_policy
from quorate.workflows.inputs.selection import Selection, span, split_names


class PaperOptions(Selection, total=False):
    """Keyword arguments of a paper session; None is the same as leaving one out.

    Without `symbols` and `top`, a live session trades the markets that the bundle was trained on, and a replay every
    market of the data of their kind.

    Attributes:
        policy: decide by this policy instead of the bundle's own.
        guards: apply guards and ladder; on unless False.
        allow_training_span: also replay bars that trained the bundle; the result is marked.
        speed: bars a second of a replay; as fast as possible without.
        bench: who is benched when in a replay, as `lifecycle.bench.bench_history` finds it; live, the stored bench is
            used.
    """

    policy: Policy | None
    guards: bool
    allow_training_span: bool
    speed: float | None
    bench: BenchOf | None


_OWN = PaperOptions.__optional_keys__ - Selection.__optional_keys__


def selection_of(options: PaperOptions) -> Selection:
    """The part of the options that selects markets and a span."""
    return cast("Selection", {name: value for name, value in options.items() if name not in _OWN})


def require_consistent(data: object, exchange: str | None, options: PaperOptions) -> None:
    """Refuse options that contradict each other, before any work begins.

    Raises:
        ArgumentError: neither or both of `data` and `exchange`, options of a replay in a live session, `symbols` with
            `top`, `top` without `start` in a replay, or a date that cannot be read.
    """
    attempted = "run the paper session"
    speed = options.get("speed")
    require_types(attempted, speed=(speed, NUMBER.optional), bench=(options.get("bench"), FUNCTION.optional))
    if speed is not None and not speed > 0:
        raise ArgumentError(attempted, found=f"`speed` {speed}", expected="a number of bars a second above 0")
    require_flags(**{name: options[name] for name in ("guards", "allow_training_span") if name in options})
    require_count("top", options.get("top"))
    require_policy(options.get("policy"))
    if (data is None) == (exchange is None):
        raise ArgumentError(
            attempted,
            found="both `data` and `exchange`" if data is not None else "neither `data` nor `exchange`",
            expected="`data` to replay stored candles, or `exchange` for live ones",
        )
    given = [name for name in ("start", "end", "speed", "bench") if options.get(name) is not None]
    if data is None and given:
        raise ArgumentError(
            attempted,
            found=", ".join(f"`{name}`" for name in given) + " with live candles",
            expected="them only with `data`, whose candles are replayed",
        )
    if options.get("top") is not None:
        if split_names(options.get("symbols")):
            raise ArgumentError(attempted, found="both `symbols` and `top`", expected="one of them, or neither")
        if data is not None and options.get("start") is None:
            raise ArgumentError(
                attempted,
                found="`top` without `start`",
                expected="`start`: markets are ranked by their volume before it",
            )
    span(selection_of(options))
