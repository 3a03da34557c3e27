"""Sizes by proximal policy optimisation (PPO) of stable-baselines3, in the simulated account.

Reference: Schulman et al. (2017), Proximal policy optimization algorithms, arXiv 1707.06347.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from quorate.core.errors import MissingExtraError
from quorate.trading.sizing import SizingPolicy

# Entries between two updates, and rows of a batch of one.
_ENTRIES, _BATCH = 1_000, 250

if TYPE_CHECKING:
    from quorate.core.sections.sizing import SizingSettings
    from quorate.lifecycle.sizing.sized_market import SizedMarket


def require_rl() -> None:
    """Check that the libraries are installed, before long work.

    Raises:
        MissingExtraError: they are not.
    """
    missing = [name for name in ("gymnasium", "stable_baselines3") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            "learn sizes by reinforcement learning",
            found=f"no {missing[0]}",
            expected="gymnasium and stable-baselines3",
            remedy="Run: pip install 'quorate[rl]'",
        )


def fit_ppo(market: SizedMarket, settings: SizingSettings) -> SizingPolicy:
    """The policy after `settings.steps` entries, by its most probable action, without torch.

    Args:
        market: everything in its run was known at the time from which the policy is to be used.
        settings: steps, width and seed.

    Raises:
        MissingExtraError: gymnasium or stable-baselines3 is not installed.
        EvaluationError: no entry that may fill.
    """
    require_rl()
    import torch
    from stable_baselines3 import PPO

    from quorate.lifecycle.sizing.environment import SizingEnvironment

    environment = SizingEnvironment(market, settings.aversion)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # networks this small lose by more
    try:
        layers = {"pi": [settings.width] * 2, "vf": [settings.width] * 2}
        model = PPO(
            "MlpPolicy",
            environment,
            n_steps=min(_ENTRIES, settings.steps),
            batch_size=min(_BATCH, settings.steps),
            gamma=0.98,
            ent_coef=0.01,
            policy_kwargs={"net_arch": layers},
            seed=settings.seed,
            device="cpu",
        )
        model.learn(settings.steps)
    finally:
        torch.set_num_threads(threads)
    network = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    exported = [
        (layer.weight.detach().numpy().astype(np.float64), layer.bias.detach().numpy().astype(np.float64))
        for layer in network
        if isinstance(layer, torch.nn.Linear)
    ]
    standard = environment.standard
    return SizingPolicy(standard.inputs, standard.mean, standard.scale, tuple(exported))
