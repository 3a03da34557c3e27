"""PatchTST as a member: its shape from the settings, and its optional pre-training."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import nn

from quorate.models.base import Progress
from quorate.models.networks.network_model import Network, TrainingExamples
from quorate.models.networks.patchtst.encoder import EncoderConfig
from quorate.models.networks.patchtst.network import PAPER, SMALL, PatchTSTConfig, PatchTSTNetwork
from quorate.models.networks.patchtst.pretrain import MaskedPatches, Unlabelled, probing, reconstruction_loss
from quorate.models.networks.scaling import ScoringNetwork, StandardisedNetwork
from quorate.models.networks.training.batch_order import BatchOrder
from quorate.models.networks.training.loss_history import LossHistory
from quorate.models.networks.training.processor import isolated

# Values of tokens that a graph is fastest with: with more, those between two operators leave the cache.
_CACHED = 72_000

_PRESETS = {"paper": PAPER, "small": SMALL}


class PatchTST(Network):
    """PatchTST as a member; by default ten patches of twelve bars."""

    name: ClassVar[str] = "patchtst"
    batch: ClassVar[int] = 128

    def _graph_rows(self, fitted: ScoringNetwork) -> int:
        network = fitted.standardised.network
        if not isinstance(network, PatchTSTNetwork):
            return self.batch
        c = network.config
        return max(1, min(self.batch, _CACHED // (c.features * c.patches * c.encoder.width)))

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

    def _train(self, network: StandardisedNetwork, data: TrainingExamples) -> LossHistory:
        """Masked pre-training and linear probing, if set, then the training.

        Each phase has its own checkpoint. An interrupted run resumes within its phase; the phases before it run again,
        to the same weights. A network that begins at earlier weights has had the phases before.
        """
        s, patchtst = self.settings.patchtst, network.network
        if data.warm or not s.pretrain_epochs or not isinstance(patchtst, PatchTSTNetwork):
            return super()._train(network, data)
        epoch = BatchOrder(len(data.examples), s.batch, s.share, self.seed).epoch_steps
        pretraining, probing_steps = s.pretrain_epochs * epoch, s.probe_epochs * epoch
        total = pretraining + probing_steps + s.epochs * epoch

        with isolated(self.seed, self.threads):  # the reconstruction layer has random initial weights
            masked = StandardisedNetwork(MaskedPatches(patchtst, s.mask), network.reads, 1).to(network.offset.device)
        masked.scale.load_state_dict(network.scale.state_dict())
        unlabelled = replace(
            data,
            examples=Unlabelled(data.examples),
            stopping=None if data.stopping is None else Unlabelled(data.stopping),
            progress=_offset(data.progress, 0, total),
        )
        self._run(masked, unlabelled, reconstruction_loss, phase="pre-training", epochs=s.pretrain_epochs)
        if s.probe_epochs:
            probed = replace(data, progress=_offset(data.progress, pretraining, total))
            with probing(patchtst):
                self._run(network, probed, self._loss(), phase="probing", epochs=s.probe_epochs)
        last = replace(data, progress=_offset(data.progress, pretraining + probing_steps, total, last=True))
        return super()._train(network, last)


def _offset(progress: Progress | None, done: int, total: int, *, last: bool = False) -> Progress | None:
    """Report the steps of one phase as steps of the whole; the last phase reports its own end as the total."""
    if progress is None:
        return None

    def report(step: int, steps: int) -> None:
        progress(done + step, done + steps if last else total)

    return report
