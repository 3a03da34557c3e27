"""Keys of providers, from the environment only."""

from __future__ import annotations

import os
from collections.abc import Mapping

from quorate.core.errors import SettingsError
from quorate.core.redaction import register_secret
from quorate.core.sections.llm import ProviderSettings


def key_of(provider: ProviderSettings, environment: Mapping[str, str] | None = None) -> str | None:
    """The key of a provider, removed from every text from now on; None for a provider without keys.

    Args:
        provider: whose `key_env` names the variable.
        environment: variables; those of the process where None.

    Raises:
        SettingsError: the variable is not set, or holds no key. The value is a secret and not repeated.
    """
    if not provider.key_env:
        return None
    key = (os.environ if environment is None else environment).get(provider.key_env, "").strip()
    if key:
        register_secret(key)
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(
            f"read the key of {provider.label} in the environment variable {provider.key_env}",
            found="another form" if key else "no value",
            expected="a key, in printable letters",
        )
    return key
