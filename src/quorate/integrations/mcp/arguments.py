"""Arguments of the tools: their schemas are published, and unknown or mistyped ones are refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: Limits of one answer, so that it fits into an assistant's context.
MOST_MARKETS = 50
MOST_RECORDS = 200
MOST_BUNDLES = 100

_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_TIME = "YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC"
_Bundle = Annotated[
    _Name | None, Field(description="Id of a bundle, as the tool bundles lists it. Default: the champion.")
]


class ToolArguments(BaseModel):
    """Arguments of a tool."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SignalsArguments(ToolArguments):
    """Arguments of the tool `signals`."""

    symbols: Annotated[
        list[_Name] | None,
        Field(
            min_length=1,
            max_length=MOST_MARKETS,
            description="Markets, such as BTC/USDT:USDT (perpetual) or BTC/USDT (spot). Default: those that the bundle "
            f"was trained on, at most {MOST_MARKETS}.",
        ),
    ] = None
    bundle: _Bundle = None
    allow_training_span: Annotated[
        bool, Field(description="Also predict bars that the bundle was trained on; these signals are marked.")
    ] = False


class EvaluationArguments(ToolArguments):
    """Arguments of the tool `evaluation_summary`."""

    bundle: _Bundle = None


class JournalArguments(ToolArguments):
    """Arguments of the tool `journal`."""

    last: Annotated[int, Field(ge=1, le=MOST_RECORDS, description="Number of records, the newest ones.")] = 20
    kinds: Annotated[
        list[_Name],
        Field(max_length=20, description="Only records of these kinds, such as decided, filled, closed or human."),
    ] = []
    symbol: Annotated[_Name | None, Field(description="Only records of this market.")] = None
    text: Annotated[_Name | None, Field(description="Only records whose body has this text, in any case.")] = None
    start: Annotated[_Name | None, Field(description=f"Only bars that open at or after this time: {_TIME}.")] = None
    end: Annotated[_Name | None, Field(description=f"Only bars that open before this time: {_TIME}.")] = None
    after: Annotated[int, Field(ge=0, lt=2**63, description="Only records with a larger number (seq).")] = 0
    before: Annotated[
        int | None,
        Field(
            ge=0, lt=2**63, description="Only records with a smaller number: of the first record, the page before it."
        ),
    ] = None


class StatusArguments(ToolArguments):
    """The tool `status` has none."""


class BundlesArguments(ToolArguments):
    """Arguments of the tool `bundles`."""

    last: Annotated[int, Field(ge=1, le=MOST_BUNDLES, description="Number of bundles, the newest ones.")] = 20
