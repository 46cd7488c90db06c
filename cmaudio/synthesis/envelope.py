"""Attack, decay, sustain and release of notes, for models with a prior.

The prior reads a note's age from two clocks: time since onset and time since release. The envelope warps these clocks,
so that a longer attack is the timbre's own attack, played more slowly, and not a fade. Times are in octaves: 1 is twice
as long as recorded, -1 half as long. This is relative as in MIDI, where 64 on controllers 72, 73 and 75 is neutral; it
suits a piano's attack of 20 ms and that of strings of 200 ms alike; equal steps sound equally large; and the settings
of instrument, channel and note add up.

* Attack runs the first part of the clock since onset at 2 ** -attack of its rate, and decay the rest.
* Decays shorter than recorded also fade the level, since the level of an organ does not depend on its clock. So do
  short releases, since some bells and treble strings have no dampers.
* Release runs the clock since release.
* Sustain is an offset in dB of the sustained part, which the clock approaches at the speed of the decay. Levels are
  bounded: a struck note stays within that offset of the recording, and still decays.

A clock never jumps: settings change its rate, and a note that was played at other rates keeps its age. With neutral
settings, every clock has the values that it would have without this module.

Shapes: B voices, K frames of a block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ATTACK_SECONDS = 0.2  # of the clock: most of the attack of strings, and all of that of struck sounds
_HELD_SECONDS = 0.3  # of the clock, until most of the sustain offset is reached
_FADE_DB = 6.0  # per second and multiple of the recorded rate; a piano's middle C decays by some 10 dB per second
GROWN_SECONDS = 0.5  # of the clock: however long that takes, a note may be silent until then

Array = NDArray[np.float64]


@dataclass(slots=True)
class Envelope:
    """How far the clocks of one note are ahead of real time, in seconds, and how far it has faded.

    `grown_at` is the voice time at which its attack was over.
    """

    onset_lead: float = 0.0
    release_lead: float = 0.0
    faded_db: float = 0.0
    grown_at: float = math.inf


@dataclass(frozen=True)
class EnvelopeSettings:
    """The settings of a block's frames, (B, K) each: octaves of time, and dB for `sustain`."""

    attack: Array
    decay: Array
    sustain: Array
    release: Array


@dataclass(frozen=True)
class Clocks:
    """(B, K) seconds that the networks read for a block's frames, and the level offset in dB; None for none."""

    since_onset: Array
    since_release: Array
    level_db: Array | None


def warp(
    envelopes: Sequence[Envelope],
    since_onset: Array,
    since_release: Array,
    hop_seconds: float,
    settings: EnvelopeSettings,
) -> Clocks:
    """Advance the envelopes by a block.

    Args:
        envelopes: of each voice, changed in place.
        since_onset: (B, K) seconds from the onset to the frames' ends, negative before.
        since_release: (B, K) seconds from the release to the frames' ends, negative before.
        hop_seconds: from one frame's end to the next.
        settings: the settings of the frames.
    """
    onset_lead, release_lead, faded = (
        np.array([getattr(envelope, name) for envelope in envelopes])
        for name in ("onset_lead", "release_lead", "faded_db")
    )
    warped = [np.empty_like(since_onset) for _ in range(3)]
    held, released = (np.clip(clock, 0, hop_seconds) for clock in (since_onset, since_release))
    damping = _FADE_DB * np.maximum(0, np.exp2(-settings.release) - 1) * released
    fading = _FADE_DB * np.maximum(0, np.exp2(-settings.decay) - 1) * held
    release_leads = (np.exp2(-settings.release) - 1) * released
    for k in range(since_onset.shape[1]):
        in_attack = _in_attack(np.maximum(since_onset[:, k] - hop_seconds, 0) + onset_lead)
        octaves = settings.attack[:, k] * in_attack + settings.decay[:, k] * (1 - in_attack)
        onset_lead = onset_lead + (np.exp2(-octaves) - 1) * held[:, k]
        release_lead = release_lead + release_leads[:, k]
        faded = faded + fading[:, k] * (1 - in_attack) + damping[:, k]
        warped[0][:, k] = since_onset[:, k] + onset_lead
        warped[1][:, k] = since_release[:, k] + release_lead
        warped[2][:, k] = settings.sustain[:, k] * _in_hold(warped[0][:, k]) - faded
    for i, envelope in enumerate(envelopes):
        envelope.onset_lead, envelope.release_lead, envelope.faded_db = onset_lead[i], release_lead[i], faded[i]
    return Clocks(*warped)


def _in_attack(clock: Array) -> Array:
    """(B,) seconds -> progress of the attack, 1 at the onset and 0 at its end."""
    return np.asarray(1 / (1 + (clock / _ATTACK_SECONDS) ** 4))


def _in_hold(clock: Array) -> Array:
    """(B,) seconds -> progress towards the sustained part, 0 at the onset and 1 when reached."""
    return np.asarray(1 - np.exp(-np.square(np.maximum(clock, 0) / _HELD_SECONDS)))
