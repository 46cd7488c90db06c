"""The held-out notes: random notes of the SoundFont, with seeds that no training run uses.

The order of random numbers is part of the definition: seeds 0..255 must give the same notes as in published metrics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import SoundFont

SAMPLES = 163_840  # 320 frames of 512
LEAD_SAMPLES = 2048  # silence before the onset
STEP_SAMPLES = 256  # between two settings of the pitch wheel
PROGRAMS = 96
BASSES = range(32, 40)
_SAMPLE_RATE = 48_000


@dataclass(frozen=True)
class Gesture:
    """A note to render: program, pitch (MIDI), velocity, gate in samples, bend in semitones every 256 samples."""

    program: int
    pitch: int
    velocity: int
    gate_samples: int
    bend: Float


@dataclass(frozen=True)
class Recording:
    """A gesture and its (N,) samples, rounded to 16 bit as the training material is."""

    gesture: Gesture
    audio: Float


def draw_gesture(seed: int) -> Gesture:
    """A third with vibrato, a fifth with a glide, the rest straight."""
    rng = np.random.default_rng(seed)
    program = int(rng.integers(0, PROGRAMS))
    low, high = (24, 60) if program in BASSES else (33, 96)
    pitch, velocity = int(rng.integers(low, high + 1)), int(rng.integers(16, 128))
    gate = int(rng.uniform(0.15, 2.6) * _SAMPLE_RATE)
    kind, depth, rate_hz, glide = rng.random(), rng.uniform(0.1, 0.6), rng.uniform(4, 7), rng.uniform(-4, 4)
    steps = np.arange(SAMPLES // STEP_SAMPLES) - LEAD_SAMPLES // STEP_SAMPLES
    seconds: NDArray[np.float64] = np.maximum(0, steps) * STEP_SAMPLES / _SAMPLE_RATE
    bend = np.zeros(len(seconds))
    if kind < 0.3:
        bend = depth * np.sin(2 * np.pi * rate_hz * seconds) * np.minimum(1, seconds / 0.3)
    elif kind < 0.5:
        bend = glide * np.clip((seconds - 0.2) / 0.5, 0, 1)
    return Gesture(program, pitch, velocity, gate, bend.astype(np.float32))


def record(soundfont: SoundFont, gesture: Gesture) -> Recording:
    """Play a gesture; bends and the release take effect at steps of 256 samples."""
    soundfont.select(gesture.program)
    audio = np.zeros(SAMPLES, np.float32)
    released = False
    for step, bend in enumerate(gesture.bend):
        start = step * STEP_SAMPLES
        if start == LEAD_SAMPLES:
            soundfont.on(gesture.pitch, gesture.velocity)
        if not released and start >= LEAD_SAMPLES + gesture.gate_samples:
            soundfont.off(gesture.pitch)
            released = True
        soundfont.bend(float(bend))
        samples = soundfont.read(STEP_SAMPLES)
        if start >= LEAD_SAMPLES:
            audio[start : start + STEP_SAMPLES] = samples
    soundfont.silence()
    rounded = (np.clip(audio, -1, 1) * 32767).astype(np.int16).astype(np.float32)
    return Recording(gesture, rounded / np.float32(32767))
