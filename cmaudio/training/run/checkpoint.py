"""Checkpoints: everything a stage needs to resume exactly, in one safetensors file, written atomically.

The state of random generators is not stored, since the random numbers of a step depend only on its number. Weights
files have the same format without optimiser states: the result of a finished stage, from which another run may start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file

FORMAT = "cmaudio-training-1"
SUFFIX = ".safetensors"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write a file atomically: it is flushed to the disk before it gets its name.

    The temporary file has a fixed name, so that the next checkpoint replaces one left by a killed process.

    Raises:
        CmaudioError: it cannot be written (a full disk); an earlier file is kept.
    """
    try:
        with atomic_file(path) as part:
            save_file(
                {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()},
                part,
                {"format": FORMAT, "about": json.dumps(about)},
            )
    except (OSError, SafetensorError) as error:
        raise CmaudioError(
            f"{path} cannot be written ({error}); make room or choose another run folder, then re-run the command "
            "to resume from the last complete checkpoint"
        ) from error


def load_tensors(path: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and metadata. Raises CmaudioError for a damaged file, or one of another kind or version."""
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise CmaudioError(
                    f"{path} is {about.get('format', 'not a file of this project')!r}, this version reads {FORMAT!r}: "
                    "train again, or give a file that this version wrote"
                )
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(about["about"])  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CmaudioError(f"{path} cannot be read ({error}); give another file") from error


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], path: Path, prefix: str = "") -> None:
    """Fill a module. Raises CmaudioError that names tensors of another shape, missing and unknown ones."""
    given = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    wanted = module.state_dict()
    wrong = [
        f"{n} is {tuple(given[n].shape)}, not {tuple(w.shape)}"
        for n, w in wanted.items()
        if n in given and given[n].shape != w.shape
    ]
    wrong += [f"{n} is missing" for n in wanted if n not in given]
    wrong += [f"{n} is unknown" for n in given if n not in wanted]
    if wrong:
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        raise CmaudioError(
            f"{path} does not fit the networks of this configuration: {'; '.join(wrong[:4])}{more}; "
            "set the sections network and vocoder_network as they were when it was trained"
        )
    module.load_state_dict(given)


def optimiser_tensors(optimiser: torch.optim.Optimizer, names: list[str], prefix: str) -> dict[str, Tensor]:
    """An optimiser's state under its parameters' names; `names` in the order of its parameters."""
    state = optimiser.state_dict()["state"]
    return {
        f"{prefix}{names[index]}/{key}": torch.as_tensor(value)
        for index, values in state.items()
        for key, value in values.items()
    }


def load_optimiser(
    optimiser: torch.optim.Optimizer, names: list[str], tensors: Mapping[str, Tensor], prefix: str
) -> None:
    """The inverse of `optimiser_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            parameter, _, key = name.removeprefix(prefix).rpartition("/")
            state.setdefault(names.index(parameter), {})[key] = tensor
    fields = optimiser.state_dict()
    fields["state"] = state
    optimiser.load_state_dict(fields)


def newest(folder: Path, stage: str) -> Path | None:
    """The last checkpoint of a stage."""
    found = checkpoints(folder, stage)
    return found[-1] if found else None


def checkpoints(folder: Path, stage: str) -> list[Path]:
    """All checkpoints of a stage, oldest first, without unfinished ones."""
    return sorted(folder.glob(f"{stage}-*{SUFFIX}"))


def last_whole(
    folder: Path, stage: str, device: torch.device, tell: Callable[[str], None]
) -> tuple[Path, dict[str, Tensor], dict[str, Any]] | None:
    """The last readable checkpoint of a stage, None if there is none; `tell` is called for damaged ones.

    Raises CmaudioError if there are checkpoints but none can be read: starting over is the user's decision.
    """
    found = checkpoints(folder, stage)
    for path in reversed(found):
        try:
            return path, *load_tensors(path, device)
        except CmaudioError as error:
            tell(f"{stage}: {error}; trying the previous checkpoint")
    if found:
        raise CmaudioError(
            f"{stage}: none of {len(found)} checkpoints in {folder} can be read; restore a whole one, or delete them "
            "to start the stage over"
        )
    return None


def set_aside_later(folder: Path, stage: str, path: Path) -> None:
    """Rename checkpoints after `path`, so that damaged ones do not count among those that are kept."""
    for later in checkpoints(folder, stage):
        if later.name > path.name:
            later.replace(later.with_name(later.name + ".damaged"))


def checkpoint_path(folder: Path, stage: str, step: int) -> Path:
    return folder / f"{stage}-{step:09d}{SUFFIX}"


def forget_older(folder: Path, stage: str, keep: int) -> None:
    """Delete all but the last `keep` checkpoints of a stage."""
    for path in checkpoints(folder, stage)[:-keep]:
        path.unlink(missing_ok=True)
