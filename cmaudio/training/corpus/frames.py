"""Single frames of a corpus, drawn at random, to train memoryless networks.

Shapes: N frames, W frames of a window, M mel bands, C controls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cmaudio.training.config import PriorStage
from cmaudio.training.corpus.clips import Clips
from cmaudio.training.corpus.corpus import Corpus, batch_seed

HALF_WINDOW = 24  # frames: a window is half a second
WINDOW = tuple(range(-HALF_WINDOW, HALF_WINDOW + 1, 8))
_ABOVE_FLOOR = 0.35  # nepers from which a frame counts as sounding
_SILENCE_SHARE, _ATTACK_WEIGHT, _TIMBRE_POWER = 0.15, 3.0, 0.6
_ATTACK_COLUMN = 8  # of note features: exp(-20 t)
_ATTACK_ABOVE = 0.05  # the first 150 ms


@dataclass(frozen=True)
class Frames:
    """Randomly drawn frames, and a window around each of the first n, in steps of 85 ms.

    Attributes:
        mel: (N, M) normalised log-mel.
        controls: (N, C).
        timbre: (N,) index into the corpus's timbres.
        near_mel: (W, n, M) frames of the windows.
        near_controls: (W, n, C) their controls.
        heard: (W, n) 1 where the window lies inside the clip and its note has started, else 0.
    """

    mel: Tensor
    controls: Tensor
    timbre: Tensor
    near_mel: Tensor
    near_controls: Tensor
    heard: Tensor


def level(log_mel: Tensor) -> Tensor:
    """(..., M) -> (...): log of the root mean square over bands."""
    return 0.5 * (torch.logsumexp(2 * log_mel, -1) - math.log(log_mel.shape[-1]))


class FrameSampler:
    """Batches of frames: audible ones seven times as often as silence, attacks four times, timbres equalised."""

    def __init__(self, corpus: Corpus, stage: PriorStage) -> None:
        self.corpus, self.stage = corpus, stage
        self._of: Clips | None = None
        self._cumulative = self._clip = torch.zeros(0)

    def batch(self, step: int, chunk: int, crops: object) -> tuple[Frames, torch.Generator]:
        """The frames of a step, and the generator for further random numbers."""
        clips = self.corpus.clips_at(step)
        self._weigh(clips)
        device = clips.log_mel.device
        generator = torch.Generator(device).manual_seed(batch_seed(self.corpus.seed, step, chunk))
        u = torch.rand(self.stage.frames, generator=generator, device=device, dtype=torch.float64)
        rows = torch.searchsorted(self._cumulative, u).clamp(max=len(self._cumulative) - 1)
        first = rows[: self.stage.moving_frames]
        near = first + torch.tensor(WINDOW, device=device)[:, None]
        inside = (near >= 0) & (near < len(self._clip))
        near = near.clamp(0, len(self._clip) - 1)
        heard = inside & (self._clip[near] == self._clip[first]) & (clips.controls[near, 0] > 0)
        return (
            Frames(
                mel=self._normalised(clips, rows),
                controls=clips.controls[rows].float(),
                timbre=clips.timbre[self._clip[rows]],
                near_mel=self._normalised(clips, near),
                near_controls=clips.controls[near].float(),
                heard=heard.float(),
            ),
            generator,
        )

    def _normalised(self, clips: Clips, rows: Tensor) -> Tensor:
        statistics = self.corpus.statistics
        return (clips.log_mel[rows].float() - statistics.mean) / statistics.std

    def _weigh(self, clips: Clips) -> None:
        """Cumulative sampling probability of the clips' frames, computed once for these clips."""
        if clips is self._of:
            return
        count = torch.arange(len(clips.frames), device=clips.frames.device)
        self._clip = torch.repeat_interleave(count, clips.frames)
        levels = torch.cat([level(part.float()) for part in torch.split(clips.log_mel, 1 << 16)])
        started = clips.controls[:, 0] > 0
        sounding = started & (levels > math.log(self.corpus.description.signal.floor) + _ABOVE_FLOOR)
        attack = started & (clips.controls[:, _ATTACK_COLUMN] > _ATTACK_ABOVE)
        weight = (sounding.double() + _SILENCE_SHARE) * (1 + _ATTACK_WEIGHT * attack)
        timbre = clips.timbre[self._clip]
        total = torch.zeros(len(self.corpus.description.timbres), dtype=torch.float64, device=weight.device)
        total.index_add_(0, timbre, weight)
        weight /= total[timbre] ** _TIMBRE_POWER
        self._cumulative = weight.cumsum(0) / weight.sum()
        self._of = clips
