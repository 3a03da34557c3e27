"""Client of OpenAI-compatible chat completions: bounded in time, size and cost."""

from quorate.llm.client.asked import Asked, Question
from quorate.llm.client.ledger import PanelLedger
from quorate.llm.client.panel_client import PanelClient
from quorate.llm.client.prices import cost_usd, most_usd

__all__ = ["Asked", "PanelClient", "PanelLedger", "Question", "cost_usd", "most_usd"]
