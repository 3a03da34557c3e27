"""Other people's programs that run Quorate, one folder each."""

__all__: list[str] = []
