"""Documents of `/health`."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from quorate.serving.documents.document import Document


class Live(Document):
    """The process answers."""

    status: Literal["ok"]


class ReadyPrediction(Document):
    """The prediction that was made to answer."""

    symbol: str
    time: str | None
    action: Literal["SELL", "HOLD", "BUY"]
    seconds: float


class RefusedChampion(Document):
    """A new champion that could not be used, and why."""

    bundle: str | None
    time: str
    reason: str


class ReadyMarkets(Document):
    """The served markets, and the newest bar of any of them. `shard`: which part of all they are."""

    served: int
    shard: str
    without_candles: list[str]
    newest: str


class Ready(Document):
    """The service predicts. "degraded": with the bundle before the champion, which was refused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "degraded",
                    "bundle": "d963884084bd5950",
                    "mode": "full",
                    "members": {"xgboost": True, "lightgbm": True, "nhits": True, "patchtst": True},
                    "prediction": {
                        "symbol": "BTC/USDT:USDT",
                        "time": "2026-05-01T12:00:00Z",
                        "action": "HOLD",
                        "seconds": 0.0012,
                    },
                    "refused": {
                        "bundle": "8c3b8c5cc20f52d0",
                        "time": "2026-05-01T12:30:00Z",
                        "reason": "could not load the bundle 8c3b8c5cc20f52d0: found xgboost.onnx, which was altered.",
                    },
                    "markets": {"served": 100, "shard": "1/1", "without_candles": [], "newest": "2026-05-01T12:00:00Z"},
                }
            ]
        }
    )

    status: Literal["ready", "degraded"]
    bundle: str
    mode: Literal["full", "partial", "none"]
    members: dict[str, bool]
    prediction: ReadyPrediction
    refused: RefusedChampion | None
    markets: ReadyMarkets
