"""What MIDI messages mean to the instrument: sixteen channels, and the zones that MPE makes of them.

Every message takes effect at a sample of the engine's clock, `at`. MIDI 1.0 Detailed Specification 4.2; Reset All
Controllers as in recommended practice RP-015; which controller does what: `cmaudio.score.controllers`.
"""

from __future__ import annotations

from collections.abc import Iterable

from cmaudio.engine.note import Note
from cmaudio.instrument.playable import Playable
from cmaudio.midi.flow import PITCH_INTERVAL_SECONDS
from cmaudio.midi.mpe import MANAGER_BEND_RANGE, MEMBERS_MAX, Zones
from cmaudio.midi.notices import Notices
from cmaudio.midi.state import NO_PARAMETER, ChannelStates, wheel_position
from cmaudio.midi.stream import CHANNEL_PRESSURE, CONTROL, KEY_PRESSURE, NOTE_OFF, NOTE_ON, PROGRAM, WHEEL, Message
from cmaudio.model.timbres import Timbre
from cmaudio.score.controllers import BY_CONTROLLER, EXPRESSION_PEDAL, SOSTENUTO, SUSTAIN, VOLUME, expression_value
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS, nearest_program

_PAN, _ALL_SOUND_OFF, _RESET, _LOCAL, _ALL_NOTES_OFF = 10, 120, 121, 122, 123
_BEND_RANGE, _MPE_CONFIGURATION = (0, 0), (0, 6)


class MidiChannels:
    """Turns messages into what they do to `synth`. It belongs to one thread."""

    def __init__(self, synth: Playable, notices: Notices, mpe: bool = False) -> None:
        self._synth, self._engine, self._model, self._notices = synth, synth.engine, synth.model, notices
        self.zones = Zones(lower=MEMBERS_MAX if mpe else 0)
        self._states = ChannelStates(self.zones, lambda: synth.controls.values().get("bend_range", MANAGER_BEND_RANGE))
        self._channels = self._states.channels
        self._keys: dict[tuple[int, int], tuple[str, Note]] = {}  # channel and key -> port and note

    @property
    def keys_down(self) -> int:
        """How many keys are down."""
        return len(self._keys)

    def message(self, at: int, port: str, message: Message) -> None:
        """A channel message. Raises CmaudioError where the instrument cannot do what it says."""
        status, first, second = message
        kind, channel = status & 0xF0, status & 0x0F
        self._channels[channel].ports.add(port)
        if kind == NOTE_ON and second:
            self._press(at, port, channel, first, second)
        elif kind in (NOTE_ON, NOTE_OFF):
            self._lift(at, channel, first)
        elif kind == KEY_PRESSURE:
            if (held := self._keys.get((channel, first))) is not None:
                held[1].express("pressure", expression_value("pressure", second), at=at)
        elif kind == CONTROL:
            self._control(at, channel, first, second)
        elif kind == PROGRAM:
            self._choose(channel, first)
        elif kind == CHANNEL_PRESSURE:
            self._express(at, channel, "pressure", first)
        elif kind == WHEEL:
            self._channels[channel].wheel = wheel_position(first, second)
            self._bend(at, channel)

    # -- notes -------------------------------------------------------------------------------------------------------

    def _press(self, at: int, port: str, channel: int, key: int, velocity: int) -> None:
        timbre: Timbre | None
        if channel == PERCUSSION_CHANNEL and not self.zones.contains(channel):
            timbre = self._model.drums.get(key)
            if timbre is None:
                what = f"no {PERCUSSION.get(key, f'drum on key {key}')!r}" if self._model.drums else "no drums"
                self._notices.once(f"this model has {what}: what comes on channel 10 for it is left out")
                return
        else:
            timbre = self._timbre(channel)
        note = self._synth.press(key, velocity, timbre=timbre, channel=channel, at=at)
        self._keys[channel, key] = (port, note)

    def _timbre(self, channel: int) -> Timbre | None:
        """Of the channel's program; None for what the controls say."""
        manager = self.zones.manager_of(channel)
        program = self._channels[channel if manager is None else manager].program
        return None if program is None else self._model.programs[program]

    def _lift(self, at: int, channel: int, key: int) -> None:
        # Keys that are not known to be down are lifted too: it does nothing, or saves a note.
        self._keys.pop((channel, key), None)
        self._synth.lift(key, channel, at)

    def _choose(self, channel: int, program: int) -> None:
        programs = self._model.programs
        if not programs:
            self._notices.once("this model has no programs: program changes do nothing")
            return
        chosen = nearest_program(program, programs)
        self._channels[channel].program = chosen
        if chosen != program:
            name = PROGRAMS[program]
            self._notices.once(f"this model has no {name!r} (program {program + 1}): {programs[chosen]!r} plays it")

    def let_go(self, at: int) -> None:
        """Lift all keys and pedals."""
        self._engine.all_notes_off(None, at)
        self._keys.clear()
        for state in self._channels:
            state.pedals.clear()

    def gone(self, at: int, port: str) -> None:
        """A port vanished: its keys go up, and its channels' pedals, wheels and pressure with them."""
        for (channel, key), (source, _) in list(self._keys.items()):
            if source == port:
                self._lift(at, channel, key)
        for channel, state in enumerate(self._channels):
            if port in state.ports:
                state.ports.discard(port)
                self._reset(at, channel)

    def forget(self) -> None:
        """The engine was silenced by `panic`: no key or pedal is down any more, nothing bent or shaped."""
        self._keys.clear()
        for state in self._channels:
            state.wheel, state.parameter = 0.0, NO_PARAMETER
            state.pedals.clear()
            state.expressions.clear()

    # -- controllers -------------------------------------------------------------------------------------------------

    def _control(self, at: int, channel: int, number: int, value: int) -> None:
        state = self._channels[channel]
        if number in BY_CONTROLLER:
            self._express(at, channel, BY_CONTROLLER[number], value)
        elif number == VOLUME:
            state.volume = value
            self._gain(at, channel)
        elif number == EXPRESSION_PEDAL:
            state.expression = value
            self._gain(at, channel)
        elif number in (SUSTAIN, SOSTENUTO):
            self._pedal(at, channel, number, value >= 64)
        elif number in (6, 38, 98, 99, 100, 101):
            self._parameter(at, channel, number, value)
        elif number == _PAN:
            self._notices.once("pan (controller 10) does nothing: the sound is mono")
        elif number >= _ALL_SOUND_OFF and number != _LOCAL:
            self._mode(at, channel, number)

    def _express(self, at: int, channel: int, name: str, value: int) -> None:
        self._channels[channel].expressions[name] = expression_value(name, value)
        self._apply_expression(at, channel, name)

    def _apply_expression(self, at: int, channel: int, name: str) -> None:
        for number in self.zones.speaks_for(channel):
            self._engine.express(name, self._states.expression(number, name), number, at)

    def _gain(self, at: int, channel: int) -> None:
        for number in self.zones.speaks_for(channel):
            self._engine.channel_gain(self._states.gain(number), number, at)

    def _pedal(self, at: int, channel: int, which: int, down: bool) -> None:
        pedals = self._channels[channel].pedals
        if down == pedals.get(which, False):
            return
        pedals[which] = down
        press = self._engine.sustain if which == SUSTAIN else self._engine.sostenuto
        for number in self.zones.speaks_for(channel):
            press(down, number, at)

    def _bend(self, at: int, channel: int) -> None:
        for number in self.zones.speaks_for(channel):
            self._engine.bend(self._states.bend(number), number, at, PITCH_INTERVAL_SECONDS)

    def _parameter(self, at: int, channel: int, number: int, value: int) -> None:
        """Registered parameters: 0 is the bend range, 6 the MPE Configuration Message."""
        state = self._channels[channel]
        high, low = state.parameter
        if number in (98, 99):
            state.parameter = NO_PARAMETER
        elif number == 101:
            state.parameter = (value, low)
        elif number == 100:
            state.parameter = (high, value)
        elif state.parameter == _BEND_RANGE:
            before = self._states.bend_range(channel)
            wanted = value + before % 1 if number == 6 else int(before) + min(value, 99) / 100
            for sibling in self.zones.siblings(channel):  # of member channels one speaks for all
                self._channels[sibling].bend_range = wanted
                self._bend(at, sibling)
        elif state.parameter == _MPE_CONFIGURATION and number == 6:
            self._make_zone(at, channel, value)

    def _make_zone(self, at: int, channel: int, members: int) -> None:
        for number in self.zones.configure(channel, members):
            state = self._channels[number]
            self._all_sound_off(at, number)
            state.bend_range = None
            self._reset(at, number)
            self._clear_expressions(at, number, EXPRESSIONS)
            self._gain(at, number)

    # -- modes -------------------------------------------------------------------------------------------------------

    def _mode(self, at: int, channel: int, number: int) -> None:
        for each in self.zones.speaks_for(channel):
            if number == _ALL_SOUND_OFF:
                self._all_sound_off(at, each)
            elif number == _RESET:
                self._reset(at, each)
            else:  # all notes off; 124 to 127 imply it
                for held, key in [place for place in self._keys if place[0] == each]:
                    self._lift(at, held, key)

    def _all_sound_off(self, at: int, channel: int) -> None:
        self._engine.all_notes_off(channel, at)
        self._channels[channel].pedals.clear()
        for place in [place for place in self._keys if place[0] == channel]:
            del self._keys[place]

    def _reset(self, at: int, channel: int) -> None:
        """Volume, program, bend range, brightness and resonance stay (RP-015)."""
        state = self._channels[channel]
        state.wheel, state.parameter, state.expression = 0.0, NO_PARAMETER, 127
        self._bend(at, channel)
        self._gain(at, channel)
        for pedal in (SUSTAIN, SOSTENUTO):
            self._pedal(at, channel, pedal, False)
        self._clear_expressions(at, channel, ("vibrato", "pressure"))
        for (number, _), (_, note) in self._keys.items():
            if number == channel:
                note.express("pressure", 0.0, at=at)

    def _clear_expressions(self, at: int, channel: int, names: Iterable[str]) -> None:
        for name in names:
            if self._channels[channel].expressions.pop(name, 0.0):
                self._apply_expression(at, channel, name)
