"""What a user does, a typed function each: the command line, Freqtrade, benchmarks and notebooks call these.

Arguments and results are typed, progress goes to a callback, nothing is printed and nothing is kept in a module.
"""

__all__: list[str] = []
