"""PatchTST as a member: its shape by the settings, and what may come before its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from torch import nn

from quorate.models.base import FitRequest, Progress
from quorate.models.networks.network_model import Network
from quorate.models.networks.patchtst.encoder import EncoderConfig
from quorate.models.networks.patchtst.network import PAPER, SMALL, PatchTSTConfig, PatchTSTNetwork
from quorate.models.networks.patchtst.pretrain import MaskedPatches, Unlabelled, probing, reconstruction_loss
from quorate.models.networks.scaling import Standardised
from quorate.models.networks.training.batch_order import BatchOrder
from quorate.models.networks.training.examples import WindowExamples
from quorate.models.networks.training.loss_history import LossHistory
from quorate.models.networks.training.processor import isolated

_PRESETS = {"paper": PAPER, "small": SMALL}


class PatchTST(Network):
    """Ten patches of twelve bars, unless the settings say otherwise."""

    name: ClassVar[str] = "patchtst"
    batch: ClassVar[int] = 4

    def _module(self, features: int) -> nn.Module:
        s = self.settings.patchtst
        if s.preset != "own":
            encoder = _PRESETS[s.preset]
            return PatchTSTNetwork(
                PatchTSTConfig(features, s.window, self.outputs, patch=16, stride=8, end_padding=True, encoder=encoder)
            )
        return PatchTSTNetwork(
            PatchTSTConfig(
                features,
                s.window,
                self.outputs,
                patch=s.patch,
                stride=s.stride,
                end_padding=s.end_padding,
                embedding=s.embedding,
                positions=s.positions,
                affine=s.affine,
                head_dropout=s.head_dropout,
                encoder=EncoderConfig(
                    s.width,
                    s.heads,
                    s.layers,
                    s.feedforward,
                    dropout=s.dropout,
                    norm=s.norm,
                    pre_norm=s.pre_norm,
                    residual_attention=s.residual_attention,
                ),
            )
        )

    def _train(
        self,
        standardised: Standardised,
        examples: WindowExamples,
        later: WindowExamples | None,
        identity: Mapping[str, str],
        lesson: FitRequest,
    ) -> LossHistory:
        """Masked pre-training and linear probing, where the settings ask for them, and then the training itself.

        Each part keeps its own checkpoint. Who is interrupted goes on within the part; the parts before it run again,
        to the same weights.
        """
        s, network = self.settings.patchtst, standardised.network
        if not s.pretrain_epochs or not isinstance(network, PatchTSTNetwork):
            return super()._train(standardised, examples, later, identity, lesson)
        epoch = BatchOrder(len(examples), s.batch, s.share, self.seed).epoch_steps
        before, probed = s.pretrain_epochs * epoch, s.probe_epochs * epoch
        total = before + probed + s.epochs * epoch

        with isolated(self.seed, self.threads):  # its reconstruction begins with random weights, too
            masked = Standardised(MaskedPatches(network, s.mask), lesson.X.shape[2], 1).to(standardised.mean.device)
        masked.load_state_dict({key: getattr(standardised, key) for key in ("low", "high", "mean", "inverse")}, False)
        self._fit(
            masked,
            Unlabelled(examples),
            None if later is None else Unlabelled(later),
            reconstruction_loss,
            identity,
            replace(lesson, progress=_within(lesson.progress, 0, total)),
            part="pre-training",
            epochs=s.pretrain_epochs,
        )
        if s.probe_epochs:
            told = replace(lesson, progress=_within(lesson.progress, before, total))
            with probing(network):
                self._fit(
                    standardised, examples, later, self._loss(), identity, told, part="probing", epochs=s.probe_epochs
                )
        last = replace(lesson, progress=_within(lesson.progress, before + probed, total, last=True))
        return super()._train(standardised, examples, later, identity, last)


def _within(progress: Progress | None, done: int, total: int, *, last: bool = False) -> Progress | None:
    """Steps of one part told as steps of the whole; the end of the last part is the end."""
    if progress is None:
        return None

    def tell(step: int, steps: int) -> None:
        progress(done + step, done + steps if last else total)

    return tell
