"""One live run in a process of its own: `python -m cmaudio.bench.live_process '<LiveRun as JSON>'`.

Its last line of output is its `Outcome` as JSON. Times are of `time.monotonic`, which all processes share.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

import cmaudio
from cmaudio.bench.material import send_to_effects, start_held_notes
from cmaudio.effects.compiling import load as load_effects
from cmaudio.engine.note import Note
from cmaudio.output.callback import silence_callback
from cmaudio.output.ring import Ring, RingCounters
from cmaudio.synth import Synth

_SETTLE_S = 1.0
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class LiveRun:
    """What to play, and for how many `seconds` once it has settled.

    "synth" holds `voices` notes with an output buffer of `lead_ms`; "silence" is a compiled callback that writes zeros.
    With `hog`, a thread in a busy loop competes for the interpreter; with `effects`, all notes are sent to reverb,
    chorus and delay.
    """

    who: Literal["synth", "silence"]
    model: str
    seconds: float
    lead_ms: float
    voices: int
    hog: bool
    effects: bool = False


@dataclass(frozen=True)
class Outcome:
    """Counts over `began_s` to `ended_s`; underruns are counted from the start of the stream."""

    began_s: float
    ended_s: float
    callbacks: int
    underruns: int
    underrun_samples: int
    portaudio_underflows: int
    least_voices: int
    load: float


def perform(wanted: LiveRun) -> Outcome:
    """Play on the default device of this process's environment."""
    scene: AbstractContextManager[_Scene] = _synth(wanted) if wanted.who == "synth" else _silence()
    with scene as playing:
        time.sleep(_SETTLE_S)
        if wanted.hog:
            threading.Thread(target=_hog, daemon=True).start()
        first, began_s, least = playing.counters(), time.monotonic(), wanted.voices
        while (left_s := began_s + wanted.seconds - time.monotonic()) > 0:
            time.sleep(min(_LOOK_EVERY_S, left_s))
            least = min(least, playing.hold())
        last, ended_s = playing.counters(), time.monotonic()
        return Outcome(
            began_s,
            ended_s,
            last.callbacks - first.callbacks,
            last.underruns,
            last.underrun_samples,
            last.portaudio_underflows - first.portaudio_underflows,
            least,
            playing.load(),
        )


class _Scene:
    """A stream that plays silence by itself."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def counters(self) -> RingCounters:
        return self._ring.counters()

    def hold(self) -> int:
        """Replace notes that have ended; the number of voices that were sounding."""
        return 0

    def load(self) -> float:
        return 0.0


class _HeldNotes(_Scene):
    def __init__(self, synth: Synth, voices: int) -> None:
        self._synth, self._voices = synth, voices
        self._notes: list[Note] = start_held_notes(synth.engine, voices)

    def counters(self) -> RingCounters:
        return self._synth.state().player.counters

    def hold(self) -> int:
        self._synth.player.raise_if_failed()
        self._notes = [note for note in self._notes if not note.ended]
        sounding = len(self._notes)
        if sounding < self._voices:
            self._notes += start_held_notes(self._synth.engine, self._voices - sounding)
        return sounding

    def load(self) -> float:
        return self._synth.state().player.load


@contextmanager
def _synth(wanted: LiveRun) -> Iterator[_Scene]:
    if wanted.effects:
        load_effects()
    with cmaudio.open(wanted.model, lead_ms=wanted.lead_ms, channels=2 if wanted.effects else None) as synth:
        if wanted.effects:
            send_to_effects(synth.engine)
        yield _HeldNotes(synth, wanted.voices)
        if wanted.effects and synth.engine.rack.silent:
            raise RuntimeError("the effects stayed silent, so this run measured nothing")


@contextmanager
def _silence() -> Iterator[_Scene]:
    import sounddevice as sd

    ring = Ring(1, channels=2)
    stream = sd._StreamBase(
        kind="output",
        samplerate=None,
        blocksize=0,
        device=None,
        channels=ring.channels,
        dtype="float32",
        latency="low",
        callback=sd._ffi.cast("void *", silence_callback().address),
        userdata=sd._ffi.cast("void *", ring.pointer),
    )
    stream.start()
    try:
        yield _Scene(ring)
    finally:
        stream.close()


def _hog() -> None:
    count = 0
    while True:
        count += 1


if __name__ == "__main__":
    print(json.dumps(asdict(perform(LiveRun(**json.loads(sys.argv[1]))))), flush=True)
