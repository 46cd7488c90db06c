"""How the learning rate rises and falls over a stage."""

from __future__ import annotations

import math

from cmaudio.training.config import ConsistencyStage


def learning_rate(stage: ConsistencyStage, progress: float) -> float:
    """Linear rise over `warmup_steps`, then a cosine down to `final_share`, or constant and a straight fall at last."""
    rise = min(1.0, (progress * stage.steps + 1) / max(1, stage.warmup_steps))
    if stage.schedule == "cosine":
        fall = 0.5 * (1 + math.cos(math.pi * progress))
    else:
        fall = min(1.0, (1 - progress) / max(stage.decay_share, 1e-9))
    return stage.learning_rate * rise * (stage.final_share + (1 - stage.final_share) * fall)
