"""Files that only Freqtrade's own environment can import are looked through for doctests there and nowhere else."""

from importlib.util import find_spec

_FREQTRADE = ("planned", "strategy", "hybrid", "freqai", "freqai_strategy")

collect_ignore = (
    [] if find_spec("freqtrade") else [f"src/quorate/integrations/freqtrade/{name}.py" for name in _FREQTRADE]
)
