"""Patterns to samples and sound files, without a sound card."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Unpack

from cmaudio.checks import in_range
from cmaudio.files.targets import AudioTarget
from cmaudio.model.file import Model
from cmaudio.offline.render import OFFLINE_POLYPHONY, TAIL_SECONDS, offline_engine, render_engine
from cmaudio.signal.sound import Sound
from cmaudio.timing.clock import Clock
from cmaudio.timing.steps import BEATS_RANGE, PatternSettings, StepLike


def render_pattern(
    pattern: Iterable[StepLike] | Callable[[Clock], object],
    beats: float,
    path: AudioTarget | None = None,
    *,
    format: str | None = None,
    tempo: float = 120.0,
    model: Model | str | None = None,
    steps: int = 1,
    polyphony: int = OFFLINE_POLYPHONY,
    gain_db: float = 0.0,
    channels: int | None = None,
    tail: float = TAIL_SECONDS,
    **settings: Unpack[PatternSettings],
) -> Sound:
    """Render some beats of a pattern, faster than real time and without a sound card.

    Args:
        pattern: notes, repeated according to `settings` (see `Clock.play`), or a function that receives a clock and
            plays on it; the same function works live, with `synth.clock`.
        beats: the pattern ends there; tails may ring for up to `tail` seconds more.
        path, format: also write the sound to a file or an open one; see `cmaudio.render`.
        model, steps, polyphony, gain_db, channels: see `cmaudio.render`.
    Returns (N, 2) float32 samples, or (N,) in mono. Raises CmaudioError for a file that cannot be written and for what
    `Clock.play` refuses.
    """
    length = in_range("beats", beats, *BEATS_RANGE, "beats")
    in_range("tail", tail, 0, 600, "seconds")
    engine = offline_engine(model, polyphony=polyphony, steps=steps, gain_db=gain_db, channels=channels)
    clock = Clock(engine, tempo)
    if callable(pattern):
        pattern(clock)
    else:
        settings.setdefault("loop", True)
        clock.play(pattern, **settings)
    clock.finish(length)
    return render_engine(engine, clock.sample(length) / engine.sample_rate, path, tail, sound_format=format)
