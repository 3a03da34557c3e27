"""The training loop of the networks: examples, losses, schedules, checkpoints, processes."""

__all__: list[str] = []
