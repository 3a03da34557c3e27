# %% [markdown]
# # A paper account and its journal
#
# A bundle trades made-up money on candles that are played again, and everything that happened is in a journal.
# The candles are synthetic, with a planted edge: read no profit into the figures.

# %%
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import quorate
from quorate.core.settings import (
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    TrainSettings,
    VoteSettings,
    XGBoostSettings,
)
from quorate.market import SyntheticMarket

folder = Path(tempfile.mkdtemp(prefix="quorate-"))
market = SyntheticMarket(seed=7, symbols=2, bars=900, edge=0.5)
data = market.panel()
seam = int(data["SYNA/USDT:USDT"].time[750])

# %% [markdown]
# ## A bundle
#
# With the policy `classic`, a vote with a floor, since 30 days of candles are too few to choose a policy by.

# %%
settings = replace(
    quorate.Settings(),
    models=ModelSettings(xgboost=XGBoostSettings(trees=20), lightgbm=LightGBMSettings(trees=20)),
    train=TrainSettings(features="core14", threads=1),
    policy=PolicySettings(name="classic"),
    vote=VoteSettings(floor=0.55),
)
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
# ## A replay
#
# The bars after training, one by one, as they would have closed. `exchange="binanceusdm"` instead of `data` is live.
# The guards are off: with this few candles the guard on the members' confidence would halt the account.

# %%
account = quorate.PaperAccount("demo", journal=f"sqlite:///{folder}/paper.sqlite", settings=settings)
status = account.run(trained.path, data, start=seam, guards=False)
print(status)

# %% [markdown]
# ## The same as the backtest
#
# One engine serves both, so the equity at the end is the same to the cent.

# %%
backtest = quorate.backtest(trained.path, data, start=seam, settings=settings, record=quorate.RunRecord(log=False))
equity = backtest.to_pandas("equity")["equity_usd"].iloc[-1]
print(f"paper {status.to_json()['equity_usd']:.2f}, backtest {equity:.2f}")

# %% [markdown]
# ## The journal
#
# Every decision, order, fill and exit is written before it takes effect. The account is rebuilt from it after a kill.

# %%
entries = list(account.records(None))
print(Counter(entry.record.kind for entry in entries).most_common())
print(entries[-1].record)

# %% [markdown]
# Opened again, the account stands where its journal ends: the session is recorded, and no bar is traded twice.

# %%
again = quorate.PaperAccount("demo", journal=f"sqlite:///{folder}/paper.sqlite", settings=settings)
again.run(trained.path, data, start=seam, guards=False)
print("new:", [entry.record.kind for entry in list(again.records(None))[len(entries) :]])
print(again.status().to_json()["equity_usd"] == status.to_json()["equity_usd"])
