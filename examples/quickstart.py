"""From an exchange to a report, in Python:

    python examples/quickstart.py out BTC/USDT:USDT,ETH/USDT:USDT 2025-01-01 2025-07-01 2025-10-01

The arguments are a folder, markets, the first day, the day on which training ends, and the end of the candles.
"""

import sys

import quorate

folder, symbols, start, split, end = sys.argv[1:]
data, models = f"{folder}/candles", ("xgboost", "lightgbm")

quorate.download(data, symbols=symbols, start=start, end=end)
trained = quorate.train(data, f"{folder}/bundles", models=models, symbols=symbols, start=start, end=split)
walk = quorate.walk_forward(data, models=models, folds=3, symbols=symbols, start=start, end=split)
later = quorate.evaluate(trained.path, data, start=split)
account = quorate.backtest(trained.path, data, start=split)

walk.report(f"{folder}/walk-forward.html")
later.report(f"{folder}/later-candles.html")
print(trained, walk, later, account, sep="\n\n", end="\n\n")
print(later.to_pandas("metrics")[["log_loss", "log_loss_low", "log_loss_high", "skill_vs_prior", "auc"]].round(4))
