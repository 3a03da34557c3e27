"""The sections of quorate.toml, one file each: plain frozen dataclasses with their defaults.

Code that must start fast imports the section it needs from the section's own file; `quorate.core.settings` loads all.
"""

__all__: list[str] = []
