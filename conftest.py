"""Files that only Freqtrade's own environment can import are looked through for doctests there and nowhere else."""

from importlib.util import find_spec

_FREQTRADE = ("freqai_model", "freqai_strategy", "hybrid_strategy", "planned_strategy", "vote_strategy")

collect_ignore = (
    []
    if find_spec("freqtrade")
    else [f"src/quorate/integrations/freqtrade/strategies/{name}.py" for name in _FREQTRADE]
)
