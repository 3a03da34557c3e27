"""The public surface: everything importable from `quorate`, and a valid call of each part of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from enum import EnumType
from pathlib import Path
from typing import Any

import numpy as np

import quorate
from quorate.core.clock import HOUR_MS
from quorate.core.sections.learning import TargetSettings
from quorate.core.sections.models import ModelSettings
from quorate.core.sections.vote import VoteSettings
from quorate.ensemble.bundle.manifest import Manifest, Member
from quorate.ensemble.inference.bench import no_bench
from quorate.features import feature_set
from quorate.market import SyntheticMarket
from quorate.market.memory import MemorySource
from quorate.models.registry import build
from quorate.workflows.inputs import Selection
from quorate.workflows.paper import PaperOptions

#: Annotation of `**keywords` -> their names.
_KEYWORDS = {"Unpack[Selection]": Selection, "Unpack[PaperOptions]": PaperOptions}


def surface() -> dict[str, Callable[..., Any]]:
    """Name -> function, class or method: "train", "Candles" for its construction, "Candles.tail"."""
    found: dict[str, Callable[..., Any]] = {}
    for name in quorate.__all__:
        public = getattr(quorate, name)
        found[name] = public
        if inspect.isclass(public):
            found |= {f"{name}.{method}": getattr(public, method) for method in _methods(public)}
    return found


def _methods(kind: type) -> Iterator[str]:
    """Public methods that the package itself defines."""
    for name in dir(kind):
        method = getattr(kind, name)
        package = str(getattr(method, "__module__", "")).split(".")[0]
        if callable(method) and package == "quorate" and not name.startswith("_"):
            yield name


def parameters(function: Callable[..., Any]) -> dict[str, str]:
    """Parameter -> its annotation; `self` is left out."""
    if isinstance(function, EnumType):
        return {"value": "int"}
    found: dict[str, str] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self":
            continue
        annotation = str(parameter.annotation)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            keywords = _KEYWORDS[annotation].__annotations__
            found |= {key: value.__forward_arg__ for key, value in keywords.items()}
        else:
            found[name] = annotation
    return found


class World:
    """What valid calls need: candles, a bundle without members, a folder with both, a paper account."""

    def __init__(self, folder: Path) -> None:
        market = SyntheticMarket(seed=1, symbols=2, bars=120)
        market.write(folder / "data")
        self.folder, self.data, self.symbol = folder, folder / "data", market.names[0]
        self.candles = market.candles(self.symbol)
        first, last = int(self.candles.time[0]), int(self.candles.time[-1])
        columns = feature_set("core14")
        self.manifest = Manifest(
            recipe="vote",
            features="core14",
            feature_names=columns.names,
            feature_hash=columns.hash,
            target=TargetSettings(),
            policy=VoteSettings(),
            symbols=market.names,
            timeframe="1h",
            synthetic=True,
            training_start=first - 1000 * HOUR_MS,
            training_end=first,
            fitted_until=first - 200 * HOUR_MS,
            used_until=first - 100 * HOUR_MS,
            rows={},
            class_prior=(0.3, 0.4, 0.3),
            members=(Member("xgboost", failure="x"), Member("lightgbm", failure="x")),
            metrics={},
            settings={},
            versions={},
            files={},
        ).with_id()
        self.bundle = quorate.Bundle(self.manifest, {}, {"xgboost": "x", "lightgbm": "x"})
        self.store = quorate.BundleStore(folder / "bundles")
        self.now = last + 2 * HOUR_MS
        self.account = quorate.PaperAccount("main", f"sqlite:///{folder / 'journal.db'}")
        self.agent = quorate.Agent(self.bundle, MemorySource([self.candles]), clock=lambda: self.now)
        self.model = build("logistic", "class", ModelSettings(), seed=1)
        self.X = np.random.default_rng(1).normal(size=(90, 3)).astype(np.float32)
        self.y = np.tile(np.arange(3, dtype=np.int8), 30)
        self.model.fit(self.X, self.y)
        self.returns = build("logistic", "return", ModelSettings(), seed=1).fit(self.X, self.X[:, 0].astype(np.float64))
        self.frame = self.bundle.predict_frame(self.candles)
        self.signal = self.bundle.predict(self.candles, now=self.now)


def _train(*given: Any) -> Any:
    return np.full((len(given[-1]), 3), 1 / 3)


def calls(world: World) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Name -> function bound to what it belongs to, and the arguments that a valid call needs."""
    w, ones = world, np.ones(3)
    hours = HOUR_MS * np.arange(3)
    vote = {"model": "xgboost", "action": quorate.Action.BUY, "score": 0.8}
    bars = dict.fromkeys(("open", "high", "low", "close", "volume"), ones)
    frame = {field.name: getattr(w.frame, field.name) for field in fields(w.frame)}
    signal = {field.name: getattr(w.signal, field.name) for field in fields(w.signal)}
    check = {"panel": {w.symbol: w.candles}}
    files = {"bundle": w.bundle, "data": w.data, "allow_training_span": True}
    rows = {"train_rows": np.arange(60), "test_rows": np.arange(60, 90)}
    functions: dict[str, dict[str, Any]] = {
        "Abstention": {"model": "xgboost", "reason": "late"},
        "Action": {"value": 1},
        "Agent": {"bundle": w.bundle},
        "Bundle": {"manifest": w.manifest, "sessions": {}, "failures": {"xgboost": "x", "lightgbm": "x"}},
        "BundleStore": {"folder": w.folder},
        "Candles": {"symbol": "A/USDT", "timeframe": "1h", "time": hours, **bars},
        "Candles.from_pandas": {"frame": w.candles.to_pandas(), "symbol": "A/USDT", "timeframe": "1h"},
        "DecisionFrame": frame,
        "DecisionFrame.concat": {"frames": [w.frame]},
        "Funding": {"symbol": "A/USDT:USDT", "time": hours, "rate": ones},
        "Model": {"task": "class", "settings": ModelSettings(), "seed": 1},
        "PaperAccount": {},
        "QuorateError": {"attempted": "x"},
        "RunRecord": {},
        "Settings": {},
        "Settings.is_inline": {"text": "x"},
        "Signal": signal,
        "Vote": vote,
        "backtest": files,
        "backtest_book": {"book": w.folder / "books", "data": w.data},
        "check": {"data": w.data},
        "check_features": {"compute": lambda candles: candles.close, **check},
        "check_model": {"train": _train, "X": w.X, "y": w.y, "time": HOUR_MS * np.arange(90), **rows},
        "check_own_columns": {},
        "check_strategy": {"decide": lambda candles: candles.close, **check},
        "decide": {"votes": [quorate.Vote(**vote)]},
        "demo": {"out": w.folder / "demo"},
        "download": {"out": w.folder / "down", "days": 1, "symbols": "A/USDT", "exchange": "nowhere"},
        "evaluate": files,
        "evaluate_book": {"data": w.data},
        "explain": {**files, "symbol": w.symbol},
        "feature": {"warmup": 1, "name": "mine"},
        "feature_names": {"name": "core14"},
        "features": {"candles": w.candles, "features": "core14"},
        "import_candles": {"files": w.folder / "none.csv", "data": w.folder / "imported"},
        "list_candles": {"data": w.data},
        "load_book": {"path": w.folder / "books"},
        "load_bundle": {"path": w.folder / "bundles"},
        "load_candles": {"folder": w.data, "symbol": w.symbol, "timeframe": "1h"},
        "load_settings": {"environment": {}},
        "retrain": {"bundles": w.folder / "bundles", "data": w.data},
        "retraining_status": {"bundles": w.folder / "bundles"},
        "signals": files,
        "target_book": {"book": w.folder / "books", "data": w.data},
        "train": {"data": w.data, "out": w.folder / "trained", "symbols": w.symbol},
        "train_book": {"data": w.data, "out": w.folder / "trained"},
        "train_rolling": {"data": w.data, "out": w.folder / "rolled", "every": "1d", "symbols": w.symbol},
        "volatility": {"candles": w.candles, "now": w.now},
        "volatility_frame": {"candles": w.candles, "now": w.now},
        "walk_forward": {"data": w.data, "symbols": w.symbol},
        "write_card": {"path": w.folder / "bundles"},
    }
    bar = {"candles": w.candles}
    matrix = {"X": w.X}
    named = {"bundle_id": w.manifest.id}
    n = len(w.candles)
    methods: dict[str, tuple[object, dict[str, Any]]] = {
        "Abstention.to_json": (quorate.Abstention("xgboost", "late"), {}),
        "Agent.predict_direction": (w.agent, {"symbol": w.symbol, **bar}),
        "Agent.signals": (w.agent, {"symbols": [w.symbol]}),
        "Agent.status": (w.agent, {}),
        "Bundle.bundle_at": (w.bundle, {"time": w.now}),
        "Bundle.decide_bars": (
            w.bundle,
            {**bar, "X": np.zeros((n, 14), np.float32), "volatility": np.ones(n), "masked": np.zeros(n, np.bool_)},
        ),
        "Bundle.in_training_span": (w.bundle, {"time": w.candles.time}),
        "Bundle.log_status": (w.bundle, {}),
        "Bundle.mode_at": (w.bundle, {"time": w.now}),
        "Bundle.parts": (w.bundle, {"frame": w.frame}),
        "Bundle.predict": (w.bundle, {**bar, "now": w.now}),
        "Bundle.predict_frame": (w.bundle, bar),
        "Bundle.predict_many": (w.bundle, {"markets": [w.candles], "now": w.now}),
        "Bundle.prior_at": (w.bundle, {"time": w.candles.time}),
        "Bundle.status": (w.bundle, {}),
        "Bundle.with_bench": (w.bundle, {"bench_of": no_bench}),
        "Bundle.with_vote": (w.bundle, {"vote": VoteSettings()}),
        "Bundle.with_policy": (w.bundle, {"policy": "classic"}),
        "BundleStore.champion": (w.store, {}),
        "BundleStore.history": (w.store, {}),
        "BundleStore.ids": (w.store, {}),
        "BundleStore.manifest": (w.store, named),
        "BundleStore.path": (w.store, named),
        "BundleStore.promote": (w.store, named),
        "BundleStore.publish": (w.store, {"manifest": w.manifest, "files": {}}),
        "BundleStore.remove": (w.store, named),
        "BundleStore.require_trusted": (w.store, named),
        "BundleStore.rollback": (w.store, {}),
        "BundleStore.verify": (w.store, named),
        "Candles.between": (w.candles, {}),
        "Candles.closed": (w.candles, {"now": w.now}),
        "Candles.tail": (w.candles, {"bars": 3}),
        "Candles.to_pandas": (w.candles, {}),
        "DecisionFrame.between": (w.frame, {}),
        "DecisionFrame.row_at": (w.frame, {"time": w.now}),
        "DecisionFrame.take": (w.frame, {"rows": np.arange(2), "time": w.frame.time[:2]}),
        "DecisionFrame.select": (w.frame, {"rows": np.ones(len(w.frame), np.bool_)}),
        "Model.fit": (w.model, {**matrix, "y": w.y}),
        "Model.load": (w.model, {"path": w.folder / "none"}),
        "Model.output": (w.model, matrix),
        "Model.predict": (w.returns, matrix),
        "Model.predict_proba": (w.model, matrix),
        "Model.save": (w.model, {"path": w.folder / "model"}),
        "Model.to_onnx": (w.model, {}),
        "PaperAccount.copy": (w.account, {"to": f"sqlite:///{w.folder / 'copy.db'}"}),
        "PaperAccount.evaluate": (w.account, {"bundle": w.bundle, "data": w.data}),
        "PaperAccount.performance": (w.account, {"bundle": w.bundle, "data": w.data}),
        "PaperAccount.promote": (w.account, {"who": "me"}),
        "PaperAccount.rearm": (w.account, {"guard": "losses", "who": "me"}),
        "PaperAccount.records": (w.account, {}),
        "PaperAccount.run": (w.account, files),
        "PaperAccount.session": (w.account, files),
        "PaperAccount.status": (w.account, {}),
        "PaperAccount.watch": (w.account, {}),
        "Settings.has_section": (quorate.Settings(), {"name": "vote"}),
        "Settings.section": (quorate.Settings(), {"name": "vote"}),
        "Signal.line": (w.signal, {}),
        "Signal.to_json": (w.signal, {}),
        "Vote.to_json": (quorate.Vote(**vote), {}),
    }
    public = surface()
    bound = {name: (getattr(own, name.split(".")[1]), given) for name, (own, given) in methods.items()}
    made = {name: (public[name], given) for name, given in functions.items()}
    return {**made, **bound, "Model": (type(w.model), functions["Model"])}
