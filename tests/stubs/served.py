"""Settings of the small bundles and of the service that its tests run."""

from dataclasses import replace

from quorate.core.settings import PolicySettings, ServeSettings, Settings, TrainSettings

BARS, TRAIN_BARS = 700, 500
SETTINGS = replace(
    Settings(),
    train=TrainSettings(threads=1, features="core14", head="classes"),
    policy=PolicySettings(name="classic", refit="none"),
    # Small limits, which tests reach in little time.
    serve=ServeSettings(watch_s=0.05, retry_s=0.2, bars=600),
)
