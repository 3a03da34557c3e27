"""What the ensemble is compared with on the same rows and by the same account."""

__all__: list[str] = []
