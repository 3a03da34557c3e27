"""PatchTST: patching, attention, encoder, pre-training, and the network as a member."""

__all__: list[str] = []
