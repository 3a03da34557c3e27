"""A bundle's predictions and trades over a span of candles, as evaluate and backtest need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.progress import Progress, silent
from quorate.core.types import DecisionFrame
from quorate.market.quality.quiet_bars import count_quiet
from quorate.models.pretraining import marks, pretrained_json
from quorate.workflows.inputs.applied_vote import vote_overrides
from quorate.workflows.inputs.market_data import open_source, predict_panel, require_unseen
from quorate.workflows.inputs.selected_data import read_market_data
from quorate.workflows.inputs.selection import resolve_for_bundle, split_names
from quorate.workflows.runs.judged_entries import JudgedEntries, judge_entries

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles
    from quorate.ensemble.inference import Bundle, Predictor
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines.configurations import Configuration
    from quorate.evaluation.baselines.strategies import SingleModel
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.trading.sizing import Overlay
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.selection import Selection


@dataclass(frozen=True, eq=False)
class BundleRun:
    """A bundle's decisions and trades over a span, and the candles behind them.

    Attributes:
        bundle: the bundle or series that decided.
        frames: symbol -> decisions on every bar of the span.
        setup: candles, costs and account.
        result: trades and equity.
        in_training_span: the run was allowed to use bars that trained the bundle.
        settings: as given, before the bundle's own policy and target replace theirs.
        judged: what a panel of language models left of the entries, which `result` is with; None without one.
    """

    bundle: Predictor
    frames: Mapping[str, DecisionFrame]
    setup: BacktestSetup
    result: BacktestResult
    in_training_span: bool
    settings: Settings
    judged: JudgedEntries | None = None

    @cached_property
    def ordinary(self) -> BacktestResult:
        """Trades and equity without the panel."""
        return self.result if self.judged is None else self.setup.trade(self.frames)

    @property
    def candles(self) -> Mapping[str, Candles]:
        """Symbol -> candles, with those that warm the features up."""
        return self.setup.candles

    @property
    def header(self) -> dict[str, Any]:
        """First keys of every document of the run."""
        trained_on = set(self.bundle.manifest.symbols)
        deciding, closed = self.deciding, self.bundle.newest.closed
        return {
            "bundle": self.bundle.id,
            **({"bundles": deciding} if deciding else {}),
            "mode": self.bundle.mode,
            **({"closed_because": closed.because} if closed is not None else {}),
            "in_training_span": self.in_training_span,
            **({"vote_overrides": changed} if (changed := vote_overrides(self.bundle)) else {}),
            **self._pretrained_header(),
            "unseen_symbols": [symbol for symbol in self.frames if symbol not in trained_on],
            "quiet_bars": count_quiet(self.candles, self.setup.start, self.setup.end),
            "currency": self.result.currency,
            "contracts_unknown": [symbol for symbol in self.frames if symbol not in self.setup.contracts],
            **({} if self.setup.overlay is None else {"overlay": self._overlay(self.setup.overlay)}),
            **({} if self.judged is None else {"panel": self.judged.to_json()}),
        }

    def _overlay(self, overlay: Overlay) -> dict[str, Any]:
        """The sizing overlay, and what it did."""
        shares = self.result.shares
        return {
            "digest": overlay.digest,
            "entries": len(shares),
            "mean_share": float(np.mean(shares)) if shares else None,
        }

    def _pretrained_header(self) -> dict[str, Any]:
        found = self.bundle.manifest.pretrained
        return {"pretrained": pretrained_json(found, self.setup.start)} if found else {}

    @property
    def marks(self) -> list[str]:
        """A sentence for each member, and for each model of the panel, that may know bars of the run."""
        judged = [] if self.judged is None else self.judged.marks
        return [*marks(self.bundle.manifest.pretrained, self.setup.start), *judged]

    @property
    def deciding(self) -> list[str]:
        """Ids of the bundles of a series that decided some bar, oldest first; empty for a single bundle."""
        if self.bundle.first_bar is None:
            return []
        decided = [bundle.manifest for frame in self.frames.values() for bundle, _ in self.bundle.parts(frame)]
        return list(dict.fromkeys(manifest.id for manifest in sorted(decided, key=lambda one: one.training_end)))

    @property
    def decision_settings(self) -> Settings:
        """The settings, with the policy and the target that the bundle was trained with and decides by."""
        manifest = self.bundle.manifest
        target = replace(manifest.target, horizon=manifest.horizon)
        return replace(self.settings, vote=manifest.policy, target=target)

    @property
    def ordinary_configuration(self) -> Configuration:
        """The bundle without the panel as a configuration of the trial log."""
        from quorate.evaluation.baselines.configurations import Configuration, in_force

        policy = self.bundle.manifest.policy
        members = [member.model for member in self.bundle.manifest.members]
        if self.bundle.stack is not None:
            method = self.bundle.stack.method
            return Configuration(f"stack by {method}", {"members": members, "combine": method}, self.ordinary)
        choice = {"members": members, "combine": "vote", "policy": policy.chosen.to_json()}
        return Configuration(in_force(self.frames, policy), choice | {"decides": self.bundle.decides}, self.ordinary)

    @property
    def configuration(self) -> Configuration:
        """The bundle as a configuration of the trial log, with the panel where there is one."""
        own = self.ordinary_configuration
        return own if self.judged is None else self.judged.configuration(own, self.result)

    def panel_section(self) -> dict[str, Any]:
        """The key `panel` of an evaluation, with the accounts with and without it; empty without a panel."""
        if self.judged is None:
            return {}
        return {"panel": self.judged.section(self.result, self.ordinary, self.frames, self.settings.evaluation)}

    @property
    def choices(self) -> dict[str, Any]:
        """What the trial log records of the run besides the settings."""
        from quorate.core.clock import iso_ms

        frames = [frame for frame in self.frames.values() if len(frame)]
        return {
            "kind": "series" if self.deciding else "bundle",
            "bundle": self.bundle.id,
            "timeframe": self.bundle.manifest.timeframe,
            "symbols": sorted(self.frames),
            "from": iso_ms(min(int(frame.time[0]) for frame in frames)) if frames else None,
            "to": iso_ms(max(int(frame.time[-1]) for frame in frames)) if frames else None,
            "features": self.bundle.manifest.features,
        }

    def calibrated(self) -> dict[str, DecisionFrame] | None:
        """Symbol -> what the calibrated policies decide on the same bars.

        None where a bundle that decided some bar has no calibrated policy, or rules decided in its place.
        """
        from quorate.evaluation.baselines.configurations import apply_policy

        members = len(self.bundle.manifest.members)
        decided = {}
        for symbol, frame in self.frames.items():
            parts = []
            for bundle, part in self.bundle.parts(frame):
                policy = bundle.calibration.policy
                if policy is None or bundle.mode == "none":
                    return None
                parts.append(apply_policy({symbol: part}, policy, members)[symbol])
            decided[symbol] = DecisionFrame.concat(parts) if parts else frame
        return decided

    def best_member(self) -> SingleModel | None:
        """The member with the least log-loss on its own bundle's validation rows, on the bars of that bundle.

        None where a bundle has no validation losses.
        """
        from quorate.evaluation.baselines.strategies import SingleModel

        scores, names = {}, set()
        for symbol, frame in self.frames.items():
            own = []
            for bundle, part in self.bundle.parts(frame):
                best = _best_member(bundle)
                if best is None:
                    return None
                names.add(best)
                own.append(part.scores[best])
            scores[symbol] = np.concatenate(own) if own else np.empty((0, 3))
        named = " or ".join(sorted(names))
        about = f"{named}, the member with the least log-loss on the bundle's own validation rows"
        return SingleModel(scores, about) if names else None


def run_bundle(
    bundle: Predictor,
    data: Data,
    selection: Selection,
    settings: Settings,
    *,
    allow_training_span: bool = False,
    sets: bool = False,
    guards: bool = False,
    progress: Progress = silent,
) -> BundleRun:
    """Predict and trade a span.

    Args:
        bundle: bundle or series.
        data: candles as `open_source` takes them.
        selection: markets and span; without `symbols`, every market of the data of the bundle's kind.
        settings: account, costs, exits, guards.
        allow_training_span: also use bars that trained the bundle; the run is marked.
        sets: give prediction sets with the decisions even where these do not use them.
        guards: apply guards and ladder as paper trading does.
        progress: of reading, predicting and trading.

    Raises:
        ArgumentError: a selection that cannot be resolved.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
    """
    from quorate.ensemble.series.sizing_file import stored_overlay
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.trading.account.currency import account_currency
    from quorate.trading.oversight import Oversight

    manifest = bundle.manifest
    source = open_source(data, split_names(selection.get("symbols")), manifest.timeframe)
    markets = resolve_for_bundle(source, bundle, selection, allow=allow_training_span)
    start, end = markets.start, markets.end
    overlaps = require_unseen(bundle, start, end, allow=allow_training_span)
    panel, funding, marks, contracts = read_market_data(source, markets, progress)
    account_currency(panel, settings.account)
    frames = predict_panel(bundle, panel, start, progress, allow=allow_training_span, sets=sets)
    oversight = Oversight(settings.guards, settings.ladder, manifest.training_end) if guards else None
    newest = bundle.newest
    overlay = stored_overlay(newest.folder, newest.id, settings.sizing)
    setup = BacktestSetup(panel, funding, settings, manifest.horizon, start, end, marks, contracts, oversight, overlay)
    judged = judge_entries(settings.llm, frames, setup)
    result = setup.trade(frames, None if judged is None else judged.shares)
    progress("trading", len(panel), len(panel))
    return BundleRun(bundle, frames, setup, result, overlaps, settings, judged)


def _best_member(bundle: Bundle) -> str | None:
    """The loaded member that was best on the validation rows of its training; None where that was not measured."""
    losses = {
        name: part["log_loss"]
        for name, parts in bundle.manifest.metrics.items()
        if bundle.status().get(name) and (part := parts.get("validation")) is not None and part["log_loss"] is not None
    }
    return min(losses, key=lambda name: losses[name], default=None)
