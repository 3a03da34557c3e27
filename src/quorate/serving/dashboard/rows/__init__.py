"""What the pages show in tables, as texts and tones."""

__all__: list[str] = []
