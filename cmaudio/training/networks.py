"""The networks of a configuration, for a corpus; their first weights come from the configuration's seed."""

from __future__ import annotations

import torch

from cmaudio.controls import NOTE_FEATURES
from cmaudio.training.config import RunConfig
from cmaudio.training.consistency_network import ConsistencyNetwork
from cmaudio.training.data.description import CorpusDescription, SignalDefinition
from cmaudio.training.vocoder_network import VocoderNetwork


def make_consistency_network(config: RunConfig, description: CorpusDescription) -> ConsistencyNetwork:
    """One network; teacher and student have the same shape."""
    shape, bands = config.network, description.signal.bands
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return ConsistencyNetwork(
            mel_bands=bands,
            block_frames=shape.block_frames,
            controls=NOTE_FEATURES + bands,
            timbres=len(description.timbres),
            timbre_dims=shape.timbre_dims,
            width=shape.width,
            context_depth=shape.context_depth,
            head_depth=shape.head_depth,
            conditioning=shape.conditioning,
            sigma_min=config.sigma.min,
            sigma_data=config.sigma.data,
        )


def make_vocoder_network(config: RunConfig, signal: SignalDefinition) -> VocoderNetwork:
    """The vocoder for a corpus's signal."""
    shape = config.vocoder_network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed + 1)
        return VocoderNetwork(mel_bands=signal.bands, bins=signal.n_fft // 2 + 1, width=shape.width, depth=shape.depth)
