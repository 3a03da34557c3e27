"""Read-only tools for assistants that speak the Model Context Protocol (https://modelcontextprotocol.io)."""

from quorate.integrations.mcp.server import serve
from quorate.integrations.mcp.sources import AssistantSources

__all__ = ["AssistantSources", "serve"]
