"""Cross-section of trends: members forecast each market's return beside the others', and vote."""

__all__: list[str] = []
