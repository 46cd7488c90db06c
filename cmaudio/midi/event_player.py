"""Messages from live ports, interpreted like those in files, and played on the instrument.

In addition to interpreting messages (`cmaudio.score.interpreter`), this chooses timbres by program, leaves out drums
that the model lacks, and releases the keys of a disconnected port.
"""

from __future__ import annotations

from collections.abc import Iterable

from cmaudio.checks import CHANNELS
from cmaudio.instrument.instrument import Instrument
from cmaudio.midi.flow import PITCH_INTERVAL_SECONDS
from cmaudio.midi.notices import Notices
from cmaudio.model.timbres import Timbre
from cmaudio.score import events
from cmaudio.score.events import PERCUSSION_CHANNEL, Event
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS, nearest_program
from cmaudio.score.interpreter import MidiInterpreter
from cmaudio.score.messages import NOTE_OFF, NOTE_ON, PROGRAM, Message
from cmaudio.score.mpe import MANAGER_BEND_RANGE

_NOTICES = {
    "range": "pitch bend ranges over 48 semitones are limited to 48",
    "parameter": "an unknown registered parameter is ignored",
    "tuning": "tunings of single keys are ignored: all octaves are equal-tempered",
    "effects on drums": "kits of sound effects (XG bank 126) on channel 10 are ignored: drums play",
    "melody on drums": "melodic sounds on channel 10 are ignored: drums play",
    "effects": "some sound effects of XG kits (bank 126) are left out: General MIDI has nothing like them",
}


class EventPlayer:
    """Plays channel messages and system exclusive messages. Belongs to one thread.

    Every message takes effect at `at`, a sample of the engine's clock.
    """

    def __init__(self, synth: Instrument, notices: Notices, mpe: bool = False) -> None:
        self._synth, self._engine, self._model, self._notices = synth, synth.engine, synth.model, notices
        self._interpreter = MidiInterpreter(
            bend_range=lambda: synth.controls.values().get("bend_range", MANAGER_BEND_RANGE),
            mpe=mpe,
            on_problem=self._on_problem,
        )
        self._key_ports: dict[tuple[int, int], str] = {}  # (channel, key) that is down -> port
        self._channel_ports: list[set[str]] = [set() for _ in range(CHANNELS)]

    @property
    def keys_down(self) -> int:
        return self._interpreter.keys_down

    def is_member(self, channel: int) -> bool:
        """Whether it is a member channel of an MPE zone."""
        return self._interpreter.zones.manager_of(channel) is not None

    def message(self, at: int, port: str, message: Message) -> None:
        """Play a channel message. Raises CmaudioError if the instrument cannot."""
        status, first, second = message
        kind, channel = status & 0xF0, status & 0x0F
        self._channel_ports[channel].add(port)
        if kind == NOTE_ON and second:
            self._key_ports[channel, first] = port
        elif kind in (NOTE_ON, NOTE_OFF):
            self._key_ports.pop((channel, first), None)
        elif kind == PROGRAM:
            self._report_stand_in(first)
        self._play(at, self._interpreter.message(message))

    def exclusive(self, at: int, data: bytes) -> None:
        """Play a system exclusive message, given without its F0 and F7."""
        self._play(at, self._interpreter.exclusive(data))

    def release_all(self, at: int) -> None:
        """Release all keys and pedals, including those held by other ways to play."""
        self._interpreter.release_all()
        self._key_ports.clear()
        self._synth.all_notes_off(None, at)

    def port_gone(self, at: int, port: str) -> None:
        """A port was disconnected: release its keys, and reset the pedals, wheels and pressure of its channels."""
        for channel, key in [place for place, source in self._key_ports.items() if source == port]:
            del self._key_ports[channel, key]
            self._play(at, self._interpreter.message((NOTE_OFF | channel, key, 0)))
        for channel, ports in enumerate(self._channel_ports):
            if port in ports:
                ports.discard(port)
                self._play(at, self._interpreter.reset(channel))

    def silenced(self, at: int) -> None:
        """The engine was silenced by `panic`: all keys, pedals, bends and expressions are reset."""
        self._key_ports.clear()
        self._play(at, self._interpreter.silenced())

    # -- events ------------------------------------------------------------------------------------------------------

    def _play(self, at: int, played: Iterable[Event]) -> None:
        engine = self._engine
        for event in played:
            match event:
                case events.NoteOn(channel, pitch, velocity, program):
                    self._press(at, channel, pitch, velocity, program)
                case events.NoteOff(channel, pitch):
                    self._synth.lift(pitch, channel, at)
                case events.KeyPressure(channel, pitch, value):
                    engine.key_pressure(pitch, value, channel, at)
                case events.Sustain(channel, down):
                    engine.sustain(down, channel, at)
                case events.Sostenuto(channel, down):
                    engine.sostenuto(down, channel, at)
                case events.PitchBend(channel, semitones):
                    engine.bend(semitones, channel, at, PITCH_INTERVAL_SECONDS)
                case events.ChannelGain(channel, gain):
                    engine.channel_gain(gain, channel, at)
                case events.Expression(channel, name, value):
                    engine.express(name, value, channel, at)
                case events.AllNotesOff(channel):
                    self._synth.all_notes_off(channel, at)

    def _press(self, at: int, channel: int, pitch: int, velocity: int, program: int) -> None:
        timbre: Timbre | None
        states = self._interpreter.states
        if channel == PERCUSSION_CHANNEL and states.is_rhythm(channel):
            timbre = self._model.drums.get(pitch)
            if timbre is None:
                what = f"no {PERCUSSION.get(pitch, f'drum on key {pitch}')!r}" if self._model.drums else "no drums"
                self._notices.once(f"this model has {what}: such notes on channel 10 are left out")
                return
        else:
            effect = states.effects_kit(channel) is not None
            timbre = self._timbre(program if effect else states.program(channel))
        self._synth.press(pitch, velocity, timbre=timbre, channel=channel, at=at)

    def _timbre(self, program: int | None) -> Timbre | None:
        """The timbre of a program; None until a program change arrives: the controls' timbre is used."""
        programs = self._model.programs
        return None if program is None or not programs else programs[nearest_program(program, programs)]

    # -- notices -----------------------------------------------------------------------------------------------------

    def _report_stand_in(self, program: int) -> None:
        programs = self._model.programs
        if not programs:
            self._notices.once("this model has no programs: program changes have no effect")
        elif program not in programs:
            name, stand_in = PROGRAMS[program], programs[nearest_program(program, programs)]
            self._notices.once(f"this model has no {name!r} (program {program + 1}): {stand_in!r} plays it")

    def _on_problem(self, kind: str) -> None:
        if kind in _NOTICES:
            self._notices.once(_NOTICES[kind])
