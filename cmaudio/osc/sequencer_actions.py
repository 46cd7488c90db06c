"""The actions behind the OSC addresses of the step sequencer and the arpeggiator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cmaudio.instrument.instrument import Instrument
from cmaudio.sequencer.grid import GridStep

_SETTINGS = ("mode", "octaves", "rate", "gate", "swing", "hold")


class SequencerActions:
    """Actions on the sequencer of an instrument, which is created by the first of them.

    Attributes:
        table: path below the root -> action(call, *arguments).
    """

    def __init__(self, synth: Instrument) -> None:
        self._synth = synth
        named: dict[str, Callable[..., object]] = {
            "sequencer/play": lambda call: synth.sequencer.play(),
            "sequencer/stop": lambda call: synth.sequencer.stop(),
            "sequencer/pattern": lambda call, name: synth.sequencer.select(name),
            "sequencer/song": self._song,
            "sequencer/song/play": lambda call: synth.sequencer.play(song=True),
            "sequencer/song/loop": self._loop,
            "sequencer/record": self._record,
            "sequencer/mute": self._mute,
            "sequencer/step": self._step,
            "arpeggiator": partial(self._arpeggio, "on"),
        }
        self.table = named | {f"arpeggiator/{name}": partial(self._arpeggio, name) for name in _SETTINGS}

    def _record(self, call: object, on: bool) -> None:
        sequencer = self._synth.sequencer
        if on:
            sequencer.record()
        else:
            sequencer.stop_recording()

    def _song(self, call: object, *parts: str | int) -> None:
        self._arrange(parts=tuple(zip(parts[::2], parts[1::2], strict=True)))

    def _loop(self, call: object, on: bool) -> None:
        self._arrange(loop=on)

    def _arrange(self, **fields: Any) -> None:
        sequencer = self._synth.sequencer
        with sequencer.clock.lock:
            sequencer.song = sequencer.song.changed(**fields)

    def _mute(self, call: object, lane: str, on: bool) -> None:
        sequencer = self._synth.sequencer
        with sequencer.clock.lock:
            pattern = sequencer.pattern
            sequencer.edit(pattern.with_lane(pattern.lane(lane).changed(muted=on)))

    def _step(self, call: object, lane: str, number: int, velocity: int, key: int | None) -> None:
        sequencer = self._synth.sequencer
        with sequencer.clock.lock:
            pattern = sequencer.pattern
            found = pattern.lane(lane)
            known = found.steps.get(number - 1, GridStep())
            pitches = known.pitches if key is None or found.pad is not None else (key,)
            step = known.changed(velocity=velocity, pitches=pitches) if velocity else None
            sequencer.edit(pattern.with_lane(found.with_step(number - 1, step)))

    def _arpeggio(self, name: str, call: object, value: object) -> None:
        self._synth.arpeggiator.change(**{name: value})
