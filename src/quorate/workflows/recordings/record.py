"""Record what the panel replies on past bars, so that backtests can read it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Unpack

from quorate.core.arguments import NUMBER, require_types
from quorate.core.clock import now_ms
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_flags, settings_of
from quorate.workflows.inputs.selection import Selection
from quorate.workflows.recordings.asking import Asking
from quorate.workflows.recordings.recorded_replies import RecordedReplies
from quorate.workflows.recordings.recording_plan import RecordingPlan, RecordingPlanner

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Policy
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike

#: Decides whether the questions of a plan are asked.
Confirm = Callable[[RecordingPlan], bool]


def record_replies(
    bundle: BundleLike,
    data: Data,
    *,
    every_bar: bool = False,
    usd: float | None = None,
    policy: Policy | None = None,
    allow_training_span: bool = False,
    settings: Settings | None = None,
    confirm: Confirm | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> RecordedReplies:
    """Ask the panel about the bars of a span on which a bundle acts, and record its replies.

    What is recorded already is not asked again, so a run that was ended goes on where it stopped. Invalid replies are
    recorded as abstentions; questions without a reply, such as after a timeout, are not, and are asked by the next run.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        every_bar: also ask about bars on which the bundle holds.
        usd: cap of the cost of this run; None for `llm.usd_per_day`, which holds in any case.
        policy: decide by this policy instead of the bundle's own.
        allow_training_span: also use bars that trained the bundle.
        settings: providers, prices, limits, folder; None for those of quorate.toml and the environment.
        confirm: called with the plan before anything is asked; None to ask without.
        progress: of reading, predicting, looking up and asking.
        **selection: `symbols` (default: every market of the data of the bundle's kind), `start`, `end`.

    Raises:
        ArgumentError: no provider in the settings, a negative `usd`, or a selection that cannot be resolved.
        BundleError: the bundle is missing, altered, or lacks the policy.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or a folder that cannot be written.
        RecordingError: a recording that is altered, or bars that a model may know, where these are refused.
        JournalError: the ledger of costs cannot be read or written.
        MissingExtraError: httpx2 is not installed.
    """
    from quorate.llm.client import PanelClient, PanelLedger
    from quorate.workflows.inputs.market_data import open_source, predict_panel, read_panel, require_unseen
    from quorate.workflows.inputs.predictors import load_predictor
    from quorate.workflows.inputs.selection import resolve_for_bundle, split_names

    require_arguments(record_replies, selection, Selection.__optional_keys__)
    settings = settings_of(settings)
    require_flags(every_bar=every_bar, allow_training_span=allow_training_span)
    require_callback(progress=progress)
    cap = _require_cap(usd, settings)
    loaded = load_predictor(bundle, settings, policy)
    source = open_source(data, split_names(selection.get("symbols")), loaded.manifest.timeframe)
    markets = resolve_for_bundle(source, loaded, selection, allow=allow_training_span)
    require_unseen(loaded, markets.start, markets.end, allow=allow_training_span)
    panel = read_panel(source, markets.timeframe, markets.symbols, progress, start=markets.start, end=markets.end)
    frames = predict_panel(loaded, panel, markets.start, progress, allow=allow_training_span)
    planner = RecordingPlanner(settings.llm, panel, now_ms())
    plan, bars = planner.plan(loaded.id, frames, every_bar=every_bar, progress=progress)
    synthetic = loaded.manifest.synthetic or any(candles.synthetic for candles in panel.values())
    done = RecordedReplies(plan, settings.llm.recordings, synthetic=synthetic)
    if not plan.questions:
        return done
    if confirm is not None and not confirm(plan):
        return replace(done, stopped="not confirmed")
    began, llm = monotonic(), settings.llm
    ledger = PanelLedger.open(
        settings.journal.url,
        settings.journal,
        usd_per_day=llm.usd_per_day,
        failures=llm.failures,
        rest_s=llm.rest_s,
    )
    run = Asking(PanelClient(llm, ledger), planner, llm, cap)
    run.ask(bars, progress)
    return replace(
        done,
        replies=run.replies,
        abstentions=dict(run.abstentions.most_common()),
        failures=dict(run.failures.most_common()),
        usd=run.usd,
        seconds=monotonic() - began,
        stopped=run.stopped,
    )


def _require_cap(usd: float | None, settings: Settings) -> float:
    if not settings.llm.providers():
        raise ArgumentError(
            "record replies of the panel",
            found="no provider in the settings",
            expected="a provider of at least one role",
            remedy="Name one in quorate.toml: [llm.technical] with url and model.",
        )
    require_types("record replies of the panel", usd=(usd, NUMBER.optional))
    if usd is None:
        return settings.llm.usd_per_day
    if not (math.isfinite(usd) and usd >= 0):
        raise ArgumentError("record replies of the panel", found=f"`usd` {usd}", expected="0 or more")
    return usd
