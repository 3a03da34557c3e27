# %% [markdown]
# # The first hour
#
# From candles to a decision and a backtest, on a synthetic market, in a few seconds.
# Nothing is downloaded. The market has a planted edge that real markets do not have: read no profit into the figures.

# %% [markdown]
# ## Candles
#
# Two markets of 1,000 hourly bars, whose returns can be predicted to 30 % of their variance.

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import quorate
from quorate.core.settings import (
    EvaluationSettings,
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    TrainSettings,
    VoteSettings,
    XGBoostSettings,
)
from quorate.market import SyntheticMarket

folder = Path(tempfile.mkdtemp(prefix="quorate-"))
market = SyntheticMarket(seed=7, symbols=2, bars=1_000, edge=0.3)
data = market.panel()
for one in data.values():
    print(one.symbol, one.timeframe, len(one), "bars, synthetic" if one.synthetic else "bars")

# %% [markdown]
# Your own candles go in the same place: a Freqtrade data folder, or a dict of pandas frames.

# %%
candles = data["SYNA/USDT:USDT"]
print(candles.to_pandas().tail(3).to_string())

# %% [markdown]
# ## Features
#
# A feature at a bar reads closed bars up to that bar only. The first rows, of the warm-up, are NaN.

# %%
X = quorate.features(candles, "core14")
print(X.shape, quorate.feature_names("core14")[:4])

# %% [markdown]
# ## Training
#
# Few trees, so that this takes seconds, and the policy `classic`, a vote with a floor, since 30 days of candles are too
# few to choose a policy by. `quorate.Settings()` alone has the real defaults. The last 250 bars are kept out.

# %%
settings = replace(
    quorate.Settings(),
    models=ModelSettings(xgboost=XGBoostSettings(trees=20), lightgbm=LightGBMSettings(trees=20)),
    train=TrainSettings(features="core14", threads=1),
    policy=PolicySettings(name="classic"),
    vote=VoteSettings(floor=0.55),
    evaluation=EvaluationSettings(resamples=50),
)
seam = int(candles.time[750])
trained = quorate.train(
    data,
    folder / "bundles",
    models="xgboost,lightgbm",
    symbols=market.names,
    timeframe="1h",
    end=seam,
    settings=settings,
)
print(trained)

# %% [markdown]
# Each member's log-loss stands beside that of the class shares (`prior`): a member is worth something only below it.

# %%
print(trained.to_pandas()[["log_loss", "prior_log_loss", "skill_vs_prior", "auc"]].round(3))

# %% [markdown]
# ## A decision
#
# The vote at the newest closed bar, and which rule decided it.

# %%
bundle = quorate.load_bundle(trained.path)
signal = bundle.predict(candles)
print(signal.action.name, signal.line(), signal.rule, sep=" | ")

# %% [markdown]
# ## Evaluation
#
# On the bars after training, beside holding and beside random entries with the same exits.

# %%
record = quorate.RunRecord(log=False)
later = quorate.evaluate(trained.path, data, start=seam, settings=settings, record=record)
print(later)

# %% [markdown]
# ## The account
#
# The same decisions with fees, slippage, stops and targets.

# %%
account = quorate.backtest(trained.path, data, start=seam, settings=settings, record=record)
print(account)
print(account.to_pandas("trades")[["symbol", "side", "entry_time", "reason", "net_usd"]].head())

# %% [markdown]
# ## The report
#
# One page, to be opened in a browser.

# %%
page = later.report(folder / "report.html")
print(page.name, f"{page.stat().st_size / 1e6:.1f} MB")
