"""The networks of a configuration for a corpus, initialised from the configuration's seed."""

from __future__ import annotations

from typing import Any

import torch

from cmaudio.model.manifest import FeatureKind
from cmaudio.speech.features import COLUMNS
from cmaudio.synthesis.note_features import NOTE_KINDS
from cmaudio.synthesis.texture_features import TEXTURE_KINDS
from cmaudio.training.config import RunConfig, VocoderNetworkSettings
from cmaudio.training.corpus.description import CorpusDescription, SignalDefinition
from cmaudio.training.networks.aligner import AlignerNetwork
from cmaudio.training.networks.autoregressive_head import AutoregressiveHead
from cmaudio.training.networks.consistency import BlockHead, ConsistencyNetwork
from cmaudio.training.networks.plugin import make_plugin_network
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.networks.prosody import ProsodyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork


def control_channels(config: RunConfig, description: CorpusDescription) -> int:
    """Features per frame that the corpus gives the networks; with a prior, its median is added."""
    return features_per_frame(features_of(config, description)) + description.signal.bands


def features_of(config: RunConfig, description: CorpusDescription) -> FeatureKind:
    """The kind of features that networks of this configuration read from the corpus."""
    if description.symbols:
        return "speech-2"
    return "texture-1" if description.textures is not None else config.note_features


def features_per_frame(kind: FeatureKind) -> int:
    """The number of features per frame."""
    return {**NOTE_KINDS, **TEXTURE_KINDS, **COLUMNS}[kind]


def make_prior_network(config: RunConfig, description: CorpusDescription) -> PriorNetwork:
    """The prior; its timbres are those of the student."""
    shape = config.prior_network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed + 4)
        return PriorNetwork(
            controls=control_channels(config, description),
            timbres=len(description.timbres),
            timbre_dims=config.network.timbre_dims,
            bands=description.signal.bands,
            width=shape.width,
            depth=shape.depth,
            modulation=shape.modulation,
        )


def make_consistency_network(config: RunConfig, description: CorpusDescription) -> ConsistencyNetwork:
    """Student or teacher, which have the same shape."""
    shape, bands = config.network, description.signal.bands
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        arguments: dict[str, Any] = {
            "mel_bands": bands,
            "block_frames": shape.block_frames,
            "controls": control_channels(config, description) + (bands if config.has_prior else 0),
            "timbres": len(description.timbres),
            "timbre_dims": shape.timbre_dims,
            "width": shape.width,
            "context_depth": shape.context_depth,
            "head_depth": shape.head_depth,
            "conditioning": shape.conditioning,
            "dropout": shape.dropout,
            "sigma_min": config.sigma.min,
            "sigma_data": config.sigma.data,
            "symbols": len(description.symbols),
            "head": AutoregressiveHead if shape.autoregressive else BlockHead,
        }
        if shape.kind == "consistency":
            network = ConsistencyNetwork(**arguments)
        else:
            network = make_plugin_network(shape.kind, arguments, shape.settings)
        if isinstance(network.head, AutoregressiveHead):
            network.head.most = shape.most_spreads
        return network


def make_aligner_network(config: RunConfig, description: CorpusDescription) -> AlignerNetwork:
    """The aligner; it is not needed after training, so it has no settings."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed + 2)
        return AlignerNetwork(mel_bands=description.signal.bands, symbols=len(description.symbols))


def make_prosody_network(config: RunConfig, description: CorpusDescription) -> ProsodyNetwork:
    """The prosody network, for a corpus with text."""
    shape = config.prosody_network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed + 3)
        return ProsodyNetwork(
            symbols=len(description.symbols),
            timbre_dims=config.network.timbre_dims,
            width=shape.width,
            depth=shape.depth,
            dropout=shape.dropout,
        )


def make_vocoder_network(
    config: RunConfig, signal: SignalDefinition, shape: VocoderNetworkSettings | None = None
) -> VocoderNetwork:
    """The vocoder for a corpus's signal, in the configuration's shape or another one."""
    shape = shape or config.vocoder_network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed + 1)
        return VocoderNetwork(
            mel_bands=signal.bands,
            bins=signal.n_fft // 2 + 1,
            width=shape.width,
            depth=shape.depth,
            dilations=shape.dilations,
        )
