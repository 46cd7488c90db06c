"""The learning-rate schedule of all stages."""

from __future__ import annotations

import math


def scheduled_rate(
    peak: float, progress: float, *, steps: int, warmup_steps: int, final_share: float, decay_share: float | None = None
) -> float:
    """Linear warm-up to `peak`, then decay to `final_share` of it.

    Args:
        peak: the largest learning rate.
        progress: completed share of the stage's steps, 0 to 1.
        steps: of the stage.
        warmup_steps: steps of the linear rise.
        final_share: learning rate at the end, relative to the peak.
        decay_share: None for a cosine over the whole stage; otherwise constant, with a linear decay over this last
            share of the steps.
    """
    rise = min(1.0, (progress * steps + 1) / max(1, warmup_steps))
    if decay_share is None:
        decay = 0.5 * (1 + math.cos(math.pi * progress))
    else:
        decay = min(1.0, (1 - progress) / max(decay_share, 1e-9))
    return peak * rise * (final_share + (1 - final_share) * decay)
