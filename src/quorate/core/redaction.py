"""Removal of secrets from texts that are shown, logged or stored.

Secrets that are known, such as API keys in the environment, are registered and removed by value in every form in which
they may stand in a text. Others are recognised by their place: passwords in addresses and connection strings, keys and
signatures in parameters, authorisation headers, private keys, and the paths of webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

#: What stands in place of a secret.
MARK = "***"

# Shorter values would be found everywhere; they are recognised by their place only.
_LEAST_CHARACTERS = 5
_LEAST_OF_OTHERS = 10

# Names of what is secret, in parameters and in objects.
_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|api[-_]?key|private[-_]?key|access[-_]?key|listen[-_]?key"
    r"|credential|webhook"
)
_VALUE = r"(?(quote)[^\"'\\\n]+|[^\s&\"'<>\\]+)"

# Pattern -> replacement.
_SHAPES: tuple[tuple[str, str], ...] = (
    # Private keys in PEM.
    (
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
        MARK,
    ),
    # Paths of webhooks: Discord, Slack, Telegram, Teams.
    (r"(discord(?:app)?\.com/api/(?:v\d+/)?webhooks/)[^\s\"'<>\\]+", rf"\1{MARK}"),
    (r"(hooks\.slack\.com/|webhook\.office\.com/)[^\s\"'<>\\]+", rf"\1{MARK}"),
    (r"(/bot)\d+(?::|%3A)[\w-]+", rf"\1{MARK}"),
    # User information of addresses, also of ones with missing slashes; not SYMBOL=RATIO@DATE.
    (r"\b([a-z][a-z0-9+.\-]{0,20}:/{1,3}(?!/)|(?<!:)//)(?!user:password@)[^\s\"'<>\\]{0,500}@", rf"\1{MARK}@"),
    (
        r"(?<![\w/.+\-])([\w.+\-]{1,60}:)(?!password@|//user:password@|/{0,3}\*{3}@)[^\s\"'<>\\@][^\s\"'<>\\]{0,500}@(?!\d{4}-\d\d)",
        rf"\1{MARK}@",
    ),
    # Headers.
    (
        r"(?P<name>\b(?:proxy-)?authorization|\bcookie|\b\w{1,20}-[\w-]{0,40}(?:key|sign|signature|token|secret|passphrase))"
        r"(?P<mark>[\"']?\s{0,9}:\s{0,9})(?P<quote>\\?[\"'])?[^\"'\\\n]+",
        rf"\g<name>\g<mark>\g<quote>{MARK}",
    ),
    (r"\b(bearer|basic|token)(\s+)(?=[^\s\d=]{0,200}[\d=])[a-z0-9._~+/=\-]{6,}", rf"\1\2{MARK}"),
    # Parameters: name=value, also percent-encoded.
    (
        rf"(?P<name>(?:{_NAMES})[\w-]{{0,40}}|\bsignature|\bsign|\bsig|\bhmac|\buid)"
        rf"(?P<mark>\s{{0,9}}(?:=|%3D)\s{{0,9}})(?P<quote>\\?[\"'])?{_VALUE}",
        rf"\g<name>\g<mark>\g<quote>{MARK}",
    ),
    # Fields of objects in JSON and Python: "name": "value".
    (
        rf"(?P<name>[\"'](?:[\w-]{{0,40}}(?:{_NAMES})[\w-]{{0,40}}|api[-_]?sign|uid)\\?[\"'])"
        rf"(?P<mark>\s{{0,9}}:\s{{0,9}})(?P<quote>\\?[\"']){_VALUE}",
        rf"\g<name>\g<mark>\g<quote>{MARK}",
    ),
)

# A text without any of these has no shape of a secret. Most texts have none, and are searched this way only.
_HINTS = (
    *("@", "=", "%3d", "key", "pass", "secret", "token", "sign", "auth", "webhook", "/bot", "hooks.", "uid", "cook"),
    *("bearer", "basic", "credential", "pwd", "hmac"),
)

_SECRET_NAME = re.compile(rf"(?:{_NAMES})|(?:^|_)(?:key|uid|pass|auth|jwt_secret_key|ws_token)$", re.IGNORECASE)
# Up to the last @ of the address; not SYMBOL=RATIO@DATE.
_USER_INFORMATION = re.compile(r"^[^\s:/@]*:?/{0,3}(\S*)@(?!\d{4}-\d\d)")
_PARAMETER = re.compile(rf"(?:{_NAMES}|key|signature)\w*\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s&'\"]+))", re.IGNORECASE)

# Values of JSON, which a document must keep.
_WORDS = frozenset({"true", "false", "null", "True", "False", "None"})

_known: set[str] = set()
_by_value: re.Pattern[str] | None = None


def redact(text: str) -> str:
    """The text with a mark in place of every secret that is registered or recognised.

    Args:
        text: a message, a traceback or a document. JSON stays JSON.

    >>> redact("GET /order?symbol=A&signature=0f3a from postgresql://me:abc@host/db?password=xyz")
    'GET /order?symbol=A&signature=*** from postgresql://***@host/db?password=***'
    """
    text = redact_known(text)
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    for shape, replacement in _compiled_shapes():
        text = shape.sub(replacement, text)
    return text


@cache
def _compiled_shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    # On first use: compiling takes some milliseconds, which most programs that start need not wait for.
    return tuple((re.compile(pattern, re.IGNORECASE), replacement) for pattern, replacement in _SHAPES)


def redact_known(text: str) -> str:
    """The text with a mark in place of every secret that is registered; for documents made by Quorate itself."""
    return text if _by_value is None else _by_value.sub(MARK, text)


def register_secret(secret: str) -> None:
    """Remove a value from every text from now on, as it is and percent-encoded, in JSON, in base64 and as repr."""
    if secret in _WORDS:
        return
    global _by_value
    forms = {form for form in _forms(secret) if len(form) >= _LEAST_CHARACTERS}
    if forms <= _known:
        return
    _known.update(forms)
    _by_value = re.compile("|".join(re.escape(form) for form in sorted(_known, key=len, reverse=True)))


def register_address(text: str) -> None:
    """Register the secrets in an address or a connection string, however it is formed."""
    userinfo = _USER_INFORMATION.search(text)
    if userinfo and userinfo[1]:
        user, _, password = userinfo[1].partition(":")
        # A user alone is a token in the address of a service, and part of a path elsewhere.
        secret = password or (user if text.startswith("http") else "")
        for form in (secret, _unquoted(secret)):
            _register_long(form)
    for match in _PARAMETER.finditer(text):
        value = next(group for group in match.groups() if group is not None)
        for secret in (value, _unquoted(value)):
            _register_long(secret)


def register_webhook(address: str) -> None:
    """Register the address of a webhook: all of it after the host, and each long part of its path."""
    register_address(address)
    rest = address.split("://", 1)[-1]
    _, slash, path = rest.partition("/")
    if slash and path:
        register_secret(path)
        for part in re.split(r"[/?&=]", path):
            if len(part) >= 12:
                register_secret(part)


def register_environment(environment: Mapping[str, str]) -> None:
    """Register secrets of variables, by their names and by the form of their values."""
    for name, value in environment.items():
        if name == "QUORATE_WEBHOOK":
            register_webhook(value)
        elif _SECRET_NAME.search(name) and not value.startswith(("/", "./")) and not value.isdecimal():
            # Other programs have variables such as TOKENIZERS_PARALLELISM, whose values are words.
            least = _LEAST_CHARACTERS if name.startswith("QUORATE_") else _LEAST_OF_OTHERS
            if len(value) >= least:
                register_secret(value)
        register_address(value)


def register_document(tree: Any) -> None:
    """Register secrets of a configuration: values of fields with names of secrets, and those in addresses."""
    waiting: list[tuple[str, Any]] = [("", tree)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(str(key), inner) for key, inner in cast("Mapping[object, Any]", value).items()]
        elif isinstance(value, list | tuple):
            waiting += [(name, inner) for inner in value]
        elif isinstance(value, str) and value:
            if _SECRET_NAME.search(name) and not value.isdecimal():
                _register_long(value)
            register_address(value)


def register_arguments(arguments: Iterable[str]) -> None:
    """Register secrets in the arguments of a command line."""
    for argument in arguments:
        register_address(argument.split("=", 1)[1] if argument.startswith("--") and "=" in argument else argument)


def _register_long(secret: str) -> None:
    if len(secret) >= _LEAST_CHARACTERS:
        register_secret(secret)


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # here: most addresses have no such characters

    return unquote(text)


def _forms(secret: str) -> set[str]:
    from base64 import b64encode, urlsafe_b64encode
    from json import dumps
    from urllib.parse import quote, quote_plus

    raw = secret.encode(errors="surrogatepass")
    encoded = {code(raw).decode() for code in (b64encode, urlsafe_b64encode)}
    return {
        secret,
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        quote(raw, safe="").replace("%", "%25"),
        dumps(secret)[1:-1],
        dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        raw.hex(),
        *encoded,
        *(form.rstrip("=") for form in encoded),
    }
