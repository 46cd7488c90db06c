"""Make the embedded model `instrument` from weights that the design's prototype trained.

    python scripts/import_prototype.py FOLDER OUTPUT.cmaudio [--weights float32|int8]

FOLDER holds consistency.safetensors, teacher.safetensors and vocoder.safetensors in the prototype's naming. Only names
and shapes change here; the numbers stay, but for 8-bit rounding where asked.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

from cmaudio.general_midi import PROGRAMS
from cmaudio.model import (
    ControlDefinition,
    Manifest,
    MelDefinition,
    NoiseLevels,
    TimbreDefinition,
    load_model,
    save_model,
)
from cmaudio.training.calibration import record_feeds
from cmaudio.training.consistency_network import ConsistencyNetwork
from cmaudio.training.export import KEEP_FLOAT, export_graphs, quantise
from cmaudio.training.vocoder_network import VocoderNetwork

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


def _controls() -> list[ControlDefinition]:
    rows = [
        ("pitch", "MIDI note number", 24, 108, 60, "which note is struck; trained on 33..96 (bass timbres 24..60)"),
        ("velocity", "MIDI velocity", 1, 127, 96, "how hard it is struck"),
        ("bend", "semitones", -24, 24, 0, "added to the pitch while it sounds; trained on -4..4"),
        ("gate", "on/off", 0, 1, 0, "1 from note-on to release"),
        ("timbre", "point of the timbre space", -10, 10, 0, "32 numbers; the named timbres are points of it"),
    ]
    return [
        ControlDefinition(name=n, unit=u, min=low, max=high, default=d, description=text)
        for n, u, low, high, d, text in rows
    ]


def manifest(network: ConsistencyNetwork, statistics: Weights, name: str, weights: str) -> Manifest:
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
        mel=MelDefinition(
            bands=128,
            f_min_hz=20,
            f_max_hz=24000,
            floor=3e-4,
            mean=statistics["mel_mean"].tolist(),
            std=statistics["mel_std"].tolist(),
        ),
        sigma=NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1),
        features="note-1",
        controls=_controls(),
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
    parser.add_argument("--network", choices=("consistency", "teacher"), default="consistency")
    parser.add_argument("--card", type=Path, default=Path(__file__).parents[1] / "configs" / "instrument_card.md")
    arguments = parser.parse_args()
    statistics = load_file(arguments.folder / "consistency.safetensors")
    network = consistency_network(arguments.folder / f"{arguments.network}.safetensors")
    graphs = export_graphs(network, vocoder_network(arguments.folder / "vocoder.safetensors"))
    described = manifest(network, statistics, arguments.output.stem, arguments.weights)
    card = arguments.card.read_text()
    if arguments.weights == "int8":
        with tempfile.TemporaryDirectory() as folder:
            float_model = Path(folder) / "float.cmaudio"
            save_model(float_model, described, graphs, card)
            feeds = record_feeds(load_model(float_model))
        graphs = {name: quantise(graph, feeds[name], KEEP_FLOAT[name]) for name, graph in graphs.items()}
    save_model(arguments.output, described, graphs, card)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
