# %% [markdown]
# # Honest evaluation
#
# Why a figure alone says nothing: the same walk-forward on a market that can be predicted, and on one that cannot.
# Both markets are synthetic, so that the truth is known.

# %%
from dataclasses import replace

import quorate
from quorate.core.settings import EvaluationSettings, LightGBMSettings, ModelSettings, TrainSettings, XGBoostSettings
from quorate.market import SyntheticMarket

settings = replace(
    quorate.Settings(),
    models=ModelSettings(xgboost=XGBoostSettings(trees=20), lightgbm=LightGBMSettings(trees=20)),
    train=TrainSettings(features="core14", threads=1),
    evaluation=EvaluationSettings(resamples=50),
)


def walk(edge):
    """Train on the past and test on what follows, twice, on a market with this predictable share of its variance."""
    market = SyntheticMarket(seed=7, symbols=2, bars=800, edge=edge)
    return quorate.walk_forward(
        market.panel(),
        models="xgboost,lightgbm",
        symbols=market.names,
        folds=2,
        settings=settings,
        record=quorate.RunRecord(log=False),
    )


# %% [markdown]
# ## A market without an edge
#
# A random walk. The log-loss should be no better than that of the class shares, and its interval should show that.

# %%
nothing = walk(edge=0.0)
print(nothing)

# %% [markdown]
# ## A market with an edge
#
# Three tenths of the variance can be predicted, far more than on any real market. The interval of the skill now lies
# above 0.

# %%
something = walk(edge=0.3)
print(something)

# %% [markdown]
# ## Baselines on the same rows
#
# Accuracy means little by itself. `skill_vs_prior` compares the log-loss with that of the class shares.

# %%
rows = ["ensemble", "xgboost", "lightgbm", "prior", "always_hold", "logistic"]
shown = ["accuracy", "log_loss", "skill_vs_prior", "skill_vs_prior_low", "skill_vs_prior_high"]
for name, found in (("no edge", nothing), ("edge", something)):
    print(name, found.to_pandas("metrics")[shown].round(3).loc[rows].to_string(), sep="\n")

# %% [markdown]
# ## Why it does not trade
#
# A policy has to earn its costs on rows that were held out from training. Where none does, or too few days can tell,
# the policy is closed: the vote is shown, and every bar is HOLD. The last sentence of an evaluation says so.

# %%
for name, found in (("no edge", nothing), ("edge", something)):
    print(f"{name}: {found.verdict.sentence}")

# %% [markdown]
# A calibrated probability is compared with how often it came true: `ece` is the mean distance, 0 at best.

# %%
print(something.to_pandas("metrics")[["ece", "ece_low", "ece_high"]].round(3).loc[rows[:3]])
