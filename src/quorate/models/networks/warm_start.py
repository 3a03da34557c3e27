"""A training that begins at the weights of an earlier network of the same shape.

The scales of the inputs, the class shares that outputs are offset by and the scale of returns are kept: weights mean
something only under the scales that they were trained with. With scales measured again, the network would begin as
another function, off by what the scales moved, and its few steps would go into mending that. The rows that the scales
were measured on are older, so that keeping them cannot leak.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TypeVar

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.models.networks.scaling import ScoringNetwork

Settings = TypeVar("Settings", bound=NetworkSettings)


def warm_settings(settings: Settings) -> Settings:
    """The settings of a training that begins at earlier weights: fewer epochs, and a learning rate of its own."""
    return replace(
        settings,
        epochs=settings.warm_epochs,
        share=settings.warm_share,
        learning_rate=settings.learning_rate * settings.warm_rate,
    )


def begin_at(scoring: ScoringNetwork, earlier: ScoringNetwork, name: str) -> str:
    """Set weights and scales to those of an earlier network.

    Args:
        scoring: the new network.
        earlier: the fitted one.
        name: of the member, for errors.

    Returns:
        SHA-256 of the weights and scales, in hexadecimal.

    Raises:
        ModelError: a network of another shape, or that reads other columns.
    """
    attempted = f"fit {name} from the weights of an earlier model"
    reads, other = scoring.standardised.reads, earlier.standardised.reads
    if reads != other:
        raise ModelError(attempted, found=f"a network of the columns {other}", expected=str(reads))
    tensors, own = earlier.state_dict(), scoring.state_dict()
    for key in sorted({*tensors, *own}):
        shapes = [tuple(each[key].shape) if key in each else "none" for each in (tensors, own)]
        if shapes[0] != shapes[1]:
            raise ModelError(
                attempted,
                found=f"{key} of shape {shapes[0]}",
                expected=f"shape {shapes[1]}",
                remedy=f"Begin anew after a change of the shape of models.{name}.",
            )
    scoring.load_state_dict(tensors)
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode())
        digest.update(tensors[key].contiguous().numpy().tobytes())
    return digest.hexdigest()
