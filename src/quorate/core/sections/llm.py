"""Settings of the panel of language models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.errors import QuorateError, SettingsError
from quorate.core.sections.section import Section, require

WithoutReplies = Literal["veto", "trade"]
Contaminated = Literal["refuse", "mark"]
LimitName = Literal["max_tokens", "max_completion_tokens"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# The rest of an address may hold a password or a key, which belong in the environment.
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#@]*)?")
_MOST_LETTERS = 200


@dataclass(frozen=True, slots=True)
class ProviderSettings(Section):
    """The language model of one role of the panel; without an address and a model the role abstains."""

    url: str = ""  # of an OpenAI-compatible API, with its version: http://127.0.0.1:11434/v1
    model: str = ""  # as the provider names it
    key_env: str = ""  # environment variable that holds the key; empty for a provider without keys
    name: str = ""  # of the provider in records and recordings; empty for the host of its address
    cutoff: str = ""  # date up to which the model's training data reaches, as its authors state; empty if they do not
    usd_per_million_in: float = 0.0  # price of a million tokens of prompts
    usd_per_million_out: float = 0.0  # price of a million tokens of replies
    limit: LimitName = "max_tokens"  # name of the limit of a reply; newer models of OpenAI: max_completion_tokens

    @property
    def configured(self) -> bool:
        """Whether the role has a model."""
        return bool(self.url)

    @property
    def label(self) -> str:
        """Name of the provider: its own, else the host and port of its address."""
        return self.name or self.url.partition("://")[2].partition("/")[0]

    def require(self, section: str) -> None:
        """Check the values.

        Raises:
            SettingsError: one that is not valid; an address is not repeated, since it may hold a key.
        """
        if bool(self.url) != bool(self.model):
            missing = "url" if self.model else "model"
            raise SettingsError(
                f"use the section [{section}]",
                found=f"no {missing}",
                expected="the address of a provider and the name of its model, or neither",
            )
        if self.url and not _ADDRESS.fullmatch(self.url):
            raise SettingsError(
                f"use the setting {section}.url",
                found="another form",
                expected="http://HOST/PATH or https://HOST/PATH, without user, password and parameters",
                remedy=f"Keep keys in an environment variable and name it in {section}.key_env.",
            )
        for name in ("model", "name"):
            text = getattr(self, name)
            if len(text) > _MOST_LETTERS or not text.isprintable() or text != text.strip():
                raise SettingsError(
                    f"use the setting {section}.{name}",
                    found=ascii(text[:60]),
                    expected=f"a name of at most {_MOST_LETTERS} printable letters",
                )
        if self.key_env and not _VARIABLE.fullmatch(self.key_env):
            # Not repeated: a key that was put here by mistake would be shown.
            raise SettingsError(
                f"use the setting {section}.key_env",
                found="another form",
                expected="the name of an environment variable, such as OPENAI_API_KEY, and not the key itself",
            )
        _require_known(f"{section}.limit", self.limit, get_args(LimitName))
        require(section, "usd_per_million_in", self.usd_per_million_in, 0, 1e6)
        require(section, "usd_per_million_out", self.usd_per_million_out, 0, 1e6)
        try:
            self.cutoff_ms()
        except QuorateError as error:
            raise SettingsError(
                f"use the setting {section}.cutoff", found=repr(self.cutoff), expected="a date, such as 2025-01-31"
            ) from error

    def cutoff_ms(self) -> int | None:
        """The cutoff in ms, of a date without a time the end of that day; None without one."""
        if not self.cutoff:
            return None
        return parse_ms(self.cutoff) + (0 if ":" in self.cutoff else DAY_MS)


@dataclass(frozen=True, slots=True)
class LLMSettings(Section):
    """Panel of language models, which can confirm, shrink or veto entries. Without a provider it is off."""

    technical: ProviderSettings = field(default_factory=ProviderSettings)
    risk: ProviderSettings = field(default_factory=ProviderSettings)
    sentiment: ProviderSettings = field(default_factory=ProviderSettings)
    timeout_s: float = 10.0  # for a role's whole answer, retries included
    close_s: float = 60.0  # for all prompts of a close; roles that were not asked by then abstain
    parallel: int = 8  # prompts at the same time
    retries: int = 1  # after a 429, an error of the server or a lost connection
    retry_pause_s: float = 0.5  # before a retry, where the server names no time in Retry-After
    answer_bytes: int = 65_536  # largest answer; a larger one is an abstention
    reply_tokens: int = 800  # limit of a reply that is sent with each prompt; 0 for none
    temperature: float = 0.0  # that is sent with each prompt; none is sent if it is below 0
    failures: int = 5  # in a row, after which a provider is left alone for a while
    rest_s: float = 300.0  # how long a provider that failed so often is left alone; then one prompt tries it
    usd_per_day: float = 1.0  # cap of the cost of a UTC day, of all processes that share the journal
    without_replies: WithoutReplies = "veto"  # entries on which no role replied: none, or with the ordinary stake
    recordings: str = "recordings"  # folder of recorded replies, which backtests read
    contaminated: Contaminated = "refuse"  # recorded replies of models that may know the bars; or marked in reports

    def __post_init__(self) -> None:
        for role, provider in self.roles().items():
            provider.require(f"llm.{role}")
        for name, kind in (("without_replies", WithoutReplies), ("contaminated", Contaminated)):
            _require_known(f"llm.{name}", getattr(self, name), get_args(kind))
        if not self.recordings.strip():
            raise SettingsError("use the setting llm.recordings", found=repr(self.recordings), expected="a folder")
        require("llm", "timeout_s", self.timeout_s, 0.05, 600)
        require("llm", "close_s", self.close_s, 0.05, 86_400)
        require("llm", "parallel", self.parallel, 1, 1_000)
        require("llm", "retries", self.retries, 0, 10)
        require("llm", "retry_pause_s", self.retry_pause_s, 0, 600)
        require("llm", "answer_bytes", self.answer_bytes, 1_024, 16 << 20)
        require("llm", "reply_tokens", self.reply_tokens, 0, 1_000_000)
        require("llm", "temperature", self.temperature, -1, 2)
        require("llm", "failures", self.failures, 1, 1_000)
        require("llm", "rest_s", self.rest_s, 0, 86_400 * 7)
        require("llm", "usd_per_day", self.usd_per_day, 0, 1e6)

    def roles(self) -> Mapping[str, ProviderSettings]:
        """Role -> its provider, configured or not, in the order of the roles."""
        return {"technical": self.technical, "risk": self.risk, "sentiment": self.sentiment}

    def providers(self) -> Mapping[str, ProviderSettings]:
        """Role -> its provider, of the roles that have one; empty where the panel is off."""
        return {role: provider for role, provider in self.roles().items() if provider.configured}


def _require_known(setting: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"use the setting {setting}", found=repr(value), expected=" or ".join(known))
