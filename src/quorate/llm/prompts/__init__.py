"""Prompts of the panel's roles: numbers of the newest closed bar in a fixed template."""

from quorate.llm.prompts.prompt import LEAST_BARS, MOST_BARS, Prompt, prompt_of

__all__ = ["LEAST_BARS", "MOST_BARS", "Prompt", "prompt_of"]
