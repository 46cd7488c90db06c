"""An objective from another package, checked on a small batch before training."""

from __future__ import annotations

import torch

from cmaudio.errors import CmaudioError
from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.objective import Denoiser, Objective
from cmaudio.training.objectives.settings import PluginSettings
from cmaudio.training.plugins import attempt, check_call, make_plugin

_TRIAL = (3, 4, 64)  # blocks, frames, mel bands


def make_plugin_objective(settings: PluginSettings, sigma: NoiseLevels) -> Objective:
    """Constructed as `Class(sigma, **settings)`.

    Raises:
        CmaudioError: it does not exist, has another interface than `Objective`, or fails on a batch.
    """
    what = f"objective {settings.objective}"
    made = make_plugin("objective", settings.objective, (sigma,), settings.model_extra or {})
    for name in ("needs_teacher", "differentiates_forward"):
        if not isinstance(getattr(made, name, None), bool):
            raise CmaudioError(f"{what} lacks the attribute {name}: give it to its class, True or False")
    for name in ("draw", "loss"):
        if not callable(getattr(made, name, None)):
            raise CmaudioError(f"{what} has no method {name}, see cmaudio.training.objectives.objective.Objective")
    generator, device = torch.Generator().manual_seed(0), torch.device("cpu")
    check_call(f"{what}, method draw", made.draw, _TRIAL, generator, device, 0.5)
    check_call(f"{what}, method loss", made.loss, None, None, {}, teacher=None)
    _try(what, made, generator)
    return made


def _try(what: str, made: Objective, generator: torch.Generator) -> None:
    blocks = _TRIAL[0]
    x = torch.randn(_TRIAL, generator=generator)
    scale = torch.tensor(0.5, requires_grad=True)
    draws = attempt(f"{what}: draw", lambda: made.draw(_TRIAL, generator, x.device, 0.5))
    if not isinstance(draws, dict) or not all(isinstance(t, torch.Tensor) and len(t) == blocks for t in draws.values()):
        raise CmaudioError(f"{what}: draw must return tensors by name, each with a row for every block")
    teacher: Denoiser | None = (lambda x_t, t: x_t) if made.needs_teacher else None
    answer = attempt(f"{what}: loss", lambda: made.loss(lambda x_t, t: scale * x_t, x, draws, teacher=teacher))
    if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], dict)):
        raise CmaudioError(f"{what}: loss must return the losses and a dictionary of metrics")
    losses, metrics = answer
    if not isinstance(losses, torch.Tensor) or losses.shape != (blocks,) or losses.dtype != torch.float32:
        shape = f"{tuple(losses.shape)} {losses.dtype}" if isinstance(losses, torch.Tensor) else type(losses).__name__
        raise CmaudioError(f"{what}: loss must return float32 losses ({blocks},), one for each block, not {shape}")
    if not losses.requires_grad:
        raise CmaudioError(f"{what}: its losses have no gradient; do not detach what the network returns")
    if not all(isinstance(value, torch.Tensor) and value.ndim == 0 for value in metrics.values()):
        raise CmaudioError(f"{what}: metrics must be tensors without dimensions, such as loss.detach().mean()")
