"""The networks among the members: one training loop and one member around every one of them."""

__all__: list[str] = []
