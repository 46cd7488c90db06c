"""Make the embedded model `instrument` from weights that the design's prototype trained.

    python scripts/import_prototype.py FOLDER OUTPUT.cmaudio [--weights float32|int8]

FOLDER holds consistency.safetensors, teacher.safetensors and vocoder.safetensors in the prototype's naming. Only names
and shapes change here; the numbers stay, but for 8-bit rounding where asked.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from safetensors.torch import load_file

from cmaudio.model.manifest import Manifest, NoiseLevels, TimbreDefinition
from cmaudio.score.general_midi import PROGRAMS
from cmaudio.training.corpus.corpus import MelStatistics
from cmaudio.training.corpus.description import SignalDefinition
from cmaudio.training.export.packing import mel_definition, note_controls, write_model
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.run.weights import save_weights, weights_file

Weights = dict[str, torch.Tensor]
PROGRAMS_TRAINED = 96
# General MIDI programs that hold a note as long as the key is down.
SUSTAINED = {*range(16, 24), *range(40, 45), *range(48, 55), *range(56, 96)}

_RENAMED = [
    (r"^ctl\.", "control_encoder.mlp."),
    (r"^emb\.", "timbres."),
    (r"^ci\.", "context_encoder.stem.linear."),
    (r"^cn\.", "context_encoder.sigma_linear."),
    (r"^ctx\.(\d+)\.(w|b)$", r"context_encoder.convs.\1.\2"),
    (r"^ctx\.(\d+)\.", r"context_encoder.mlps.\1."),
    (r"^head\.(\d+)\.(w|b)$", r"head.convs.\1.\2"),
    (r"^head\.(\d+)\.", r"head.mlps.\1."),
    (r"^bridge\.", "head.bridge."),
    (r"^xi\.", "head.stem."),
    (r"^no\.", "head.norm."),
    (r"^out\.", "head.out."),
]
_RENAMED_VOCODER = [
    (r"^inp\.", "stem.linear."),
    (r"^n0\.", "stem_norm."),
    (r"^n1\.", "norm."),
    (r"^head\.", "out."),
    (r"^blocks\.(\d+)\.(w|b)$", r"blocks.\1.depthwise.\2"),
    (r"\.gamma$", ".scale"),
]


def _rename(weights: Weights, rules: list[tuple[str, str]]) -> Weights:
    renamed = {}
    for name, value in weights.items():
        for pattern, replacement in rules:
            name, count = re.subn(pattern, replacement, name)
            if count:
                break
        name = name.replace(".p1.", ".mlp.widen.").replace(".p2.", ".mlp.narrow.")
        name = re.sub(r"\.w$", ".weight", re.sub(r"\.b$", ".bias", name))
        if name.endswith("stem.linear.weight") and value.ndim == 3:  # a convolution becomes one product over its window
            value = value.permute(0, 2, 1).flatten(1)
        renamed[name] = value.float()
    return renamed


def consistency_network(path: Path) -> ConsistencyNetwork:
    """The student or the teacher (they have the same shapes)."""
    weights = {name: value for name, value in load_file(path).items() if not name.startswith("mel_")}
    renamed = _rename({n: v for n, v in weights.items() if n != "freq" and not n.startswith("te.")}, _RENAMED)
    for stack in ("context_encoder", "head"):
        renamed[f"{stack}.sigma.frequencies"] = weights["freq"].float()
        for name in ("0.weight", "0.bias", "2.weight", "2.bias"):
            renamed[f"{stack}.sigma.mlp.{name}"] = weights[f"te.{name}"].float()
        for part in ("weight", "bias"):
            pieces = [renamed.pop(f"{stack}.mlps.{i}.mod.{part}") for i in range(6)]
            renamed[f"{stack}.modulation.linear.{part}"] = torch.cat(pieces)
    network = ConsistencyNetwork()
    network.load_state_dict(renamed)
    return network.eval()


def vocoder_network(path: Path) -> VocoderNetwork:
    """The source-filter vocoder."""
    weights = {name: value for name, value in load_file(path).items() if not name.startswith("mel_")}
    network = VocoderNetwork()
    network.load_state_dict(_rename(weights, _RENAMED_VOCODER))
    return network.eval()


def manifest(network: ConsistencyNetwork, statistics: MelStatistics, name: str, weights: str) -> Manifest:
    """The embedded instrument's manifest."""
    vectors = network.timbres.weight.detach().double().tolist()
    return Manifest(
        format_version=1,
        name=name,
        description="96 General MIDI instruments (programs 1-96), pitched, mono, 48 kHz",
        licence="MIT (weights; trained on MuseScore_General_Lite.sf3, MIT)",
        sample_rate=48000,
        hop_length=512,
        n_fft=2048,
        block_frames=4,
        mel=mel_definition(SignalDefinition(), statistics),
        sigma=NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1),
        features="note-1",
        controls=note_controls(),
        timbre_dims=32,
        timbres=[
            TimbreDefinition(
                name=PROGRAMS[i], vector=[round(x, 6) for x in vectors[i]], program=i, sustained=i in SUSTAINED
            )
            for i in range(PROGRAMS_TRAINED)
        ],
        default_timbre=PROGRAMS[4],  # the piano is faint and uneven: so were the notes it learned from
        weights=weights,
        sha256={},
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--weights", choices=("float32", "int8"), default="int8")
    parser.add_argument("--network", choices=("student", "teacher"), default="student")
    parser.add_argument("--weights-folder", type=Path, help="also write student, teacher and vocoder to train on from")
    parser.add_argument("--card", type=Path, default=Path(__file__).parents[1] / "configs" / "instrument_card.md")
    arguments = parser.parse_args()
    mel = load_file(arguments.folder / "consistency.safetensors")
    statistics = MelStatistics(mel["mel_mean"].float(), mel["mel_std"].float())
    networks = {
        "student": consistency_network(arguments.folder / "consistency.safetensors"),
        "teacher": consistency_network(arguments.folder / "teacher.safetensors"),
        "vocoder": vocoder_network(arguments.folder / "vocoder.safetensors"),
    }
    if arguments.weights_folder:
        arguments.weights_folder.mkdir(parents=True, exist_ok=True)
        names = [PROGRAMS[i] if i < PROGRAMS_TRAINED else f"untrained {i + 1}" for i in range(len(PROGRAMS))]
        for name, network in networks.items():
            save_weights(weights_file(arguments.weights_folder, name), network, statistics, names, {"stage": name})
    network = networks[arguments.network]
    assert isinstance(network, ConsistencyNetwork)
    described = manifest(network, statistics, arguments.output.stem, arguments.weights)
    vocoder = networks["vocoder"]
    assert isinstance(vocoder, VocoderNetwork)
    write_model(arguments.output, described, network, vocoder, arguments.card.read_text())
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
