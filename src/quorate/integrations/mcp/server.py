"""The tools over standard input and output, by the official package of the protocol."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from quorate.core.errors import ArgumentError, MissingExtraError, QuorateError
from quorate.core.redaction import redact
from quorate.core.version import __version__
from quorate.integrations.mcp.sources import AssistantSources
from quorate.integrations.mcp.tools import TOOLS, ReadingTool, require_tool

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

_INSTRUCTIONS = (
    "Reads an ensemble of forecasting models for crypto markets and its paper account. All tools only read: nothing "
    "here trades, promotes or re-arms. Times are UTC. Candles may be old and figures have intervals: say so with them."
)
_log = logging.getLogger(__name__)


def serve(sources: AssistantSources) -> None:
    """Answer an assistant on standard input and output until it ends. Nothing else may be printed there.

    Args:
        sources: what the tools read.

    Raises:
        MissingExtraError: the package mcp is not installed.
    """
    try:
        import anyio
        from mcp.server.stdio import stdio_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "serve tools for assistants", found=str(error), remedy="Run: pip install 'quorate[mcp]'"
        ) from error

    async def run() -> None:
        server = _server(sources)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)


def _server(sources: AssistantSources) -> Server[Any]:
    import anyio
    from anyio import to_thread
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

    # One question at a time: each loads a bundle or reads a whole journal.
    turn = anyio.CapacityLimiter(1)
    annotations = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    listed = [
        Tool(
            name=name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.arguments.model_json_schema(),
            output_schema=tool.reply.model_json_schema(mode="serialization"),
            annotations=annotations,
        )
        for name, tool in TOOLS.items()
    ]

    async def list_tools(_context: Any, _asked: Any) -> ListToolsResult:
        return ListToolsResult(tools=listed)

    async def call_tool(_context: Any, asked: Any) -> CallToolResult:
        document, failed = await to_thread.run_sync(answer, sources, asked.name, asked.arguments or {}, limiter=turn)
        text = redact(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return CallToolResult(
            content=[TextContent(type="text", text=text)], structured_content=json.loads(text), is_error=failed
        )

    return Server(
        "quorate",
        version=__version__,
        title="Quorate",
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def answer(sources: AssistantSources, name: str, arguments: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Document of one call, and whether it is that of an error.

    Args:
        sources: what the tools read.
        name: of the tool.
        arguments: as an assistant gave them.

    Returns:
        The tool's document, or {"error": {"type", "attempted", "found", "expected", "remedy"}}; JSON-safe.
    """
    try:
        tool = require_tool(name)
        return tool.read(sources, _validated(name, tool, arguments)), False
    except QuorateError as error:
        return _error(error), True
    except Exception as error:  # noqa: BLE001 - the last place where an error can become an answer
        _log.exception("the tool %s failed", name)
        found = f"an internal error ({type(error).__name__})"
        return _error(QuorateError(f"answer {name}", found=found, remedy="See the log of the server; report it.")), True


def _validated(name: str, tool: ReadingTool, arguments: Mapping[str, Any]) -> Any:
    try:
        return tool.arguments.model_validate(arguments)
    except ValidationError as error:
        # Names and rules only: a value may be of any size.
        wrong = [
            f"{ascii('.'.join(map(str, each['loc'])))[:60]}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        ]
        raise ArgumentError(
            f"call the tool {name}",
            found="; ".join(wrong[:5]),
            expected=f"arguments among {', '.join(tool.arguments.model_fields) or 'none'}",
            remedy="See the schema of the tool.",
        ) from error


def _error(error: QuorateError) -> dict[str, Any]:
    parts = {part: getattr(error, part) for part in ("attempted", "found", "expected", "remedy")}
    return {"error": {"type": type(error).__name__, **parts}}
