"""Weights files: the result of a finished stage with its mel statistics, from which another run may start.

A run may also start from a model file, or an embedded model by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import is_file
from cmaudio.model.file import SUFFIX, Model, embedded_models, load_model
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.networks.consistency import ConsistencyNetwork, PhonemeControlEncoder
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.networks.prosody import ProsodyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.run.checkpoint import load_tensors, load_weights, save_tensors
from cmaudio.training.run.model_weights import weights_of

_TIMBRES = "timbres.weight"
_CONTROLS = "control_encoder.mlp.0.weight"
_SYMBOLS: dict[type[nn.Module], str] = {  # tables of phonemes
    ConsistencyNetwork: "control_encoder.symbols.weight",
    ProsodyNetwork: "symbol.weight",
}
_PARTS: dict[type[nn.Module], str] = {ConsistencyNetwork: "network.", VocoderNetwork: "vocoder."}  # of a joint stage


def save_weights(
    path: Path,
    module: nn.Module,
    statistics: MelStatistics,
    timbres: Sequence[str],
    about: dict[str, str],
    symbols: Sequence[str] = (),
) -> None:
    """Write a network, the names of its timbres and phonemes in order, and the statistics of its mel."""
    tensors = dict(module.state_dict()) | {"mel_mean": statistics.mean, "mel_std": statistics.std}
    save_tensors(path, tensors, {"timbres": list(timbres), "symbols": list(symbols), **about})


def weights_file(folder: Path, stage: str) -> Path:
    """Path of a finished stage's weights (or those of its discriminators)."""
    return folder / f"{stage}.safetensors"


def stages_of(part: str) -> tuple[str, ...]:
    """The stages that train a part of the model (student, vocoder, prosody, teacher), the last one first."""
    return {"student": ("joint", "student"), "vocoder": ("joint", "vocoder_tuning", "vocoder")}.get(part, (part,))


def finished(folder: Path, part: str) -> Path | None:
    """Weights of a part of the model from the last finished stage of a run."""
    paths = (weights_file(folder, stage) for stage in stages_of(part))
    return next((path for path in paths if path.is_file()), None)


def can_start_from(path: Path) -> bool:
    """Whether this is a file, or the name of an embedded model."""
    return is_file(path) or str(path) in embedded_models()


def _model_at(path: Path) -> Model | None:
    """The model at a path; None for a weights file."""
    return load_model(path) if path.suffix == SUFFIX or str(path) in embedded_models() else None


def read_statistics(path: Path) -> MelStatistics:
    """Mel statistics of weights."""
    model = _model_at(path)
    if model is not None:
        mel = model.manifest.mel
        return MelStatistics(torch.tensor(mel.mean), torch.tensor(mel.std))
    tensors, _ = load_tensors(path)
    if not {"mel_mean", "mel_std"} <= tensors.keys():
        raise CmaudioError(
            f"{path} is not a weights file of a finished stage (no mel statistics); give RUN/STAGE.safetensors"
        )
    return MelStatistics(tensors["mel_mean"], tensors["mel_std"])


@torch.no_grad()
def mix_weights(module: nn.Module, other: nn.Module, share: float) -> None:
    """Move the parameters of a module towards those of another one of the same form, by `share`."""
    for own, its in zip(module.parameters(), other.parameters(), strict=True):
        own.lerp_(its, share)


def start_from(path: Path, module: nn.Module, timbres: Sequence[str], symbols: Sequence[str] = ()) -> int:
    """Fill a network from a weights file or a model.

    Timbres and phonemes are matched by name; new ones start from the mean of the known ones, so that a voice in another
    language keeps everything that it shares with this one.

    Returns:
        The number of timbres found in the file.

    Raises:
        CmaudioError: the file does not fit.
    """
    model = _model_at(path)
    if model is not None:
        speech = model.manifest.speech
        tensors = weights_of(model, module)
        about = {"timbres": list(model.timbres), "symbols": speech.symbols if speech else []}
    else:
        tensors, about = load_tensors(path)
        tensors = {name: t for name, t in tensors.items() if name not in ("mel_mean", "mel_std")}
        part = _of_kind(_PARTS, module) or ""
        if any(name.startswith(part) for name in tensors):
            tensors = {name.removeprefix(part): t for name, t in tensors.items() if name.startswith(part)}
    found = len(timbres)
    if isinstance(module, ConsistencyNetwork | PriorNetwork):
        if _TIMBRES not in tensors or "timbres" not in about:
            raise CmaudioError(f"{path} holds no timbres; give the weights of a teacher, a student or a prior")
        found, tensors[_TIMBRES] = _by_name(tensors[_TIMBRES], about["timbres"], timbres)
    table = _of_kind(_SYMBOLS, module)
    if table in tensors and symbols and about.get("symbols"):
        tensors[table] = _by_name(tensors[table], about["symbols"], symbols)[1]
    encoder = module.control_encoder if isinstance(module, ConsistencyNetwork) else None
    if isinstance(encoder, PhonemeControlEncoder) and _CONTROLS in tensors:
        tensors[_CONTROLS] = encoder.widened(tensors[_CONTROLS])
    if isinstance(module, PriorNetwork):
        tensors = module.widened(tensors)
    if isinstance(module, ProsodyNetwork):
        tensors |= {name: table for name, table in module.unknown_columns().items() if name not in tensors}
    load_weights(module, tensors, path)
    return found


def _of_kind(table: Mapping[type[nn.Module], str], module: nn.Module) -> str | None:
    """The entry of a table for the kind of a network; those from other packages derive from ours."""
    return next((entry for kind, entry in table.items() if isinstance(module, kind)), None)


def start_where_it_fits(path: Path, module: nn.Module) -> bool:
    """Fill a network from a weights file of the same shape; returns whether the shapes agree.

    Raises CmaudioError for a file that cannot be read.
    """
    tensors, _ = load_tensors(path)
    wanted = module.state_dict()
    fits = all(name in tensors and tensors[name].shape == t.shape for name, t in wanted.items())
    if fits:
        load_weights(module, {name: tensors[name] for name in wanted}, path)
    return fits


def _by_name(table: Tensor, known: Sequence[str], wanted: Sequence[str]) -> tuple[int, Tensor]:
    """The number of wanted names that are known, and a row for each name, the mean for unknown ones."""
    rows = {name: table[i] for i, name in enumerate(known)}
    mean = torch.stack(list(rows.values())).mean(0)
    return len(rows.keys() & set(wanted)), torch.stack([rows.get(name, mean) for name in wanted])
