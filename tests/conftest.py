"""What holds for every test."""

from hypothesis import settings

# How long an example takes says how busy the machine is; nothing here is a timed test.
settings.register_profile("untimed", settings(deadline=None))
settings.load_profile("untimed")
