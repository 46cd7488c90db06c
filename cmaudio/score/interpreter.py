"""The MIDI interpreter: messages in, score events out, for both files and live ports.

It depends on neither time nor instrument, so the same bytes give the same events from any source. Each change is
reported once. MIDI 1.0 Detailed Specification 4.2; Reset All Controllers as in RP-015; MPE 1.1; rhythm banks of General
MIDI 2 (120) and XG (127), XG's kits of sound effects (126). Which controller does what: `cmaudio.score.controllers`.
"""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.checks import CHANNELS
from cmaudio.score import controllers as cc
from cmaudio.score.change_events import PEDALS, ChangeEvents
from cmaudio.score.channel_state import NO_PARAMETER, ChannelStates
from cmaudio.score.events import PERCUSSION_CHANNEL, AllNotesOff, Event, KeyPressure, NoteOff, NoteOn
from cmaudio.score.exclusive import KeyTuning, MasterTuning, RhythmPart, SystemReset, read_exclusive
from cmaudio.score.expression import MIX
from cmaudio.score.messages import CHANNEL_PRESSURE, CONTROL, KEY_PRESSURE, NOTE_OFF, NOTE_ON, PROGRAM, WHEEL, Message
from cmaudio.score.mpe import MANAGER_BEND_RANGE, MEMBERS_MAX, Zones
from cmaudio.score.parameters import set_parameter
from cmaudio.score.ranges import BEND_MAX_SEMITONES
from cmaudio.score.sound_effects import KITS, sound_effect

_PARAMETERS = frozenset((cc.DATA_COARSE, cc.DATA_FINE, cc.NRPN_FINE, cc.NRPN_COARSE, cc.RPN_FINE, cc.RPN_COARSE))
_RESET_EXPRESSIONS = frozenset(("vibrato", "pressure"))  # brightness and resonance stay (RP-015)
_RHYTHM_BANK_GM2, _RHYTHM_BANK_XG, _EFFECTS_BANK_XG, _MELODY_BANK_GM2 = 120, 127, 126, 121
_LEFT_OUT = -1


class MidiInterpreter:
    """Sixteen channels, with MPE zones where a configuration message creates them.

    Args:
        volume: default volume of channels, 0..127.
        bend_range: returns the default bend range of channels, in semitones at full wheel.
        mpe: start with a lower MPE zone of 15 members.
        on_problem: called with "struck again" (a key that is down), "stray" (a note-off without a note), "range" (a
            bend range that was clamped), "parameter" (an unknown registered parameter), "tuning" (of single keys),
            "effects" (a sound effect without a substitute), "effects on drums" or "melody on drums" (on channel 10).

    Attributes:
        zones: the MPE zones.
        states: the state of each channel.
    """

    def __init__(
        self,
        *,
        volume: int = 127,
        bend_range: Callable[[], float] = lambda: MANAGER_BEND_RANGE,
        mpe: bool = False,
        on_problem: Callable[[str], object] = lambda kind: None,
    ) -> None:
        self.zones = Zones(lower=MEMBERS_MAX if mpe else 0)
        self.states = ChannelStates(self.zones, volume, bend_range)
        self._on_problem = on_problem
        self._rhythm_banks = {_RHYTHM_BANK_GM2, _RHYTHM_BANK_XG}
        self._keys: dict[tuple[int, int], int] = {}  # sounding (channel, pitch) -> channel of the key
        self._effects: dict[tuple[int, int], int] = {}  # (channel, key) -> pitch of its sound effect
        self._pressures: dict[tuple[int, int], float] = {}
        self._out = ChangeEvents(self.states)

    @property
    def keys_down(self) -> int:
        return len(self._keys)

    def message(self, message: Message) -> list[Event]:
        """The events of a channel message; system messages have none."""
        status, first, second = message
        kind, channel = status & 0xF0, status & 0x0F
        if kind == NOTE_ON and second:
            self._note_on(channel, first, second)
        elif kind in (NOTE_ON, NOTE_OFF):
            self._note_off(channel, first)
        elif kind == KEY_PRESSURE:
            self._press_key(channel, first, cc.expression_value("pressure", second))
        elif kind == CONTROL:
            self._control(channel, first, second)
        elif kind == PROGRAM:
            self._select_program(channel, first)
        elif kind == CHANNEL_PRESSURE:
            self._express(channel, "pressure", first)
        elif kind == WHEEL:
            self.states[channel].wheel = cc.wheel_position(first, second)
            self._each(self._out.bend, channel)
        return self._out.take()

    def exclusive(self, data: bytes) -> list[Event]:
        """The events of a system exclusive message, without its F0 and F7."""
        match read_exclusive(data):
            case MasterTuning(fine, semitones):
                self.states.master_tuning[fine] = semitones
                for channel in range(CHANNELS):
                    self._out.bend(channel)
            case RhythmPart(channel, rhythm):
                self.states[channel].rhythm_part = rhythm
                if channel == PERCUSSION_CHANNEL and not rhythm:
                    self._on_problem("melody on drums")
            case SystemReset(gs):
                self._reset_system(gs)
            case KeyTuning():
                self._on_problem("tuning")
        return self._out.take()

    def _reset_system(self, gs: bool) -> None:
        self._rhythm_banks = {_RHYTHM_BANK_GM2} if gs else {_RHYTHM_BANK_GM2, _RHYTHM_BANK_XG}
        self.states.master_tuning = [0.0, 0.0]
        for channel, state in enumerate(self.states.channels):
            state.fine_tuning, state.coarse_tuning = (64, 0), 0
            state.bank, state.rhythm, state.rhythm_part, state.effects_kit = 0, False, False, None
            self._out.bend(channel)

    def release_all(self) -> list[Event]:
        """Release every key and pedal, as at the end of a file."""
        for channel in range(CHANNELS):
            self._end_notes(channel)
            self._lift_pedals(channel)
        return self._out.take()

    def reset(self, channel: int) -> list[Event]:
        """Reset All Controllers on one channel."""
        self._reset(channel)
        return self._out.take()

    def silenced(self) -> list[Event]:
        """Follow an external reset of the instrument: all keys, pedals, bends and expressions but the mix are reset.

        The events restore the tuning, which is kept.
        """
        self._keys.clear()
        self._pressures.clear()
        for channel, state in enumerate(self.states.channels):
            state.wheel, state.parameter = 0.0, NO_PARAMETER
            state.pedals.clear()
            state.expressions = {name: value for name, value in state.expressions.items() if name in MIX}
            self._out.silenced(channel)
        for channel in range(CHANNELS):
            self._out.bend(channel)
        return self._out.take()

    def _select_program(self, channel: int, program: int) -> None:
        state = self.states[channel]
        state.program, state.rhythm, state.effects_kit = program, state.bank in self._rhythm_banks, None
        if channel == PERCUSSION_CHANNEL and state.bank == _MELODY_BANK_GM2:
            self._on_problem("melody on drums")
        if state.bank != _EFFECTS_BANK_XG or _RHYTHM_BANK_XG not in self._rhythm_banks:
            return
        if program in KITS and channel == PERCUSSION_CHANNEL:
            self._on_problem("effects on drums")
        elif program in KITS:
            state.effects_kit = program
        else:
            state.rhythm = True

    # -- notes -------------------------------------------------------------------------------------------------------

    def _note_on(self, channel: int, pitch: int, velocity: int) -> None:
        kit = self.states.effects_kit(channel)
        if kit is None:
            self._effects.pop((channel, pitch), None)
            rhythm = self.states.is_rhythm(channel)
            program = None if rhythm else self.states.program(channel)
            self._begin_note((PERCUSSION_CHANNEL if rhythm else channel, pitch), channel, velocity, program or 0)
            return
        effect = sound_effect(kit, pitch)
        self._effects[channel, pitch] = effect[1] if effect else _LEFT_OUT
        if effect is None:
            self._on_problem("effects")
        else:
            self._begin_note((channel, effect[1]), channel, velocity, effect[0])

    def _begin_note(self, place: tuple[int, int], channel: int, velocity: int, program: int) -> None:
        self._out.gain(place[0])
        if place in self._keys:
            self._on_problem("struck again")
            self._end_note(place)
        self._keys[place] = channel
        self._out.add(NoteOn(*place, velocity, program))

    def _note_off(self, channel: int, pitch: int) -> None:
        place = self._place(channel, pitch)
        effect = self._effects.pop((channel, pitch), None)
        if place is not None:
            self._end_note(place)
        elif effect != _LEFT_OUT:
            self._on_problem("stray")

    def _place(self, channel: int, pitch: int) -> tuple[int, int] | None:
        """The channel (the key's own, or percussion) and pitch at which the note of a pressed key sounds."""
        places = ((channel, self._effects.get((channel, pitch), pitch)), (PERCUSSION_CHANNEL, pitch))
        return next((place for place in places if self._keys.get(place) == channel), None)

    def _end_note(self, place: tuple[int, int]) -> None:
        del self._keys[place]
        self._pressures.pop(place, None)
        self._out.add(NoteOff(*place))

    def _end_notes(self, channel: int) -> None:
        for place in [place for place, owner in self._keys.items() if owner == channel]:
            self._end_note(place)

    def _press_key(self, channel: int, pitch: int, value: float) -> None:
        place = self._place(channel, pitch)
        if place is not None:
            self._pressures[place] = value
            self._out.add(KeyPressure(*place, value))

    # -- controllers -------------------------------------------------------------------------------------------------

    def _control(self, channel: int, number: int, value: int) -> None:
        state = self.states[channel]
        if number in cc.BY_CONTROLLER:
            self._express(channel, cc.BY_CONTROLLER[number], value)
        elif number == cc.VOLUME:
            state.volume = value
            self._each(self._out.gain, channel)
        elif number == cc.EXPRESSION_PEDAL:
            state.expression = value
            self._each(self._out.gain, channel)
        elif number in PEDALS:
            state.pedals[number] = value >= 64
            for each in self.zones.speaks_for(channel):
                self._out.pedal(each, number)
        elif number in _PARAMETERS:
            self._parameter(channel, number, value)
        elif number == cc.BANK:
            state.bank = value
        elif number >= cc.ALL_SOUND_OFF and number != cc.LOCAL_CONTROL:
            self._mode(channel, number)

    def _express(self, channel: int, name: str, value: int) -> None:
        self.states[channel].expressions[name] = cc.expression_value(name, value)
        for each in self.zones.speaks_for(channel):
            self._out.expression(each, name)

    def _each(self, update: Callable[[int], None], channel: int) -> None:
        """Update all channels that this one controls."""
        for each in self.zones.speaks_for(channel):
            update(each)

    def _parameter(self, channel: int, number: int, value: int) -> None:
        state = self.states[channel]
        outcome = set_parameter(state, number, value, self.states.bend_range(channel))
        if outcome == "zone":
            self._make_zone(channel, value)
        elif outcome == "bend range":
            if number == cc.DATA_COARSE and value > BEND_MAX_SEMITONES:
                self._on_problem("range")
            for sibling in self.zones.siblings(channel):  # a parameter of one member channel applies to all
                self.states[sibling].bend_range = state.bend_range
                self._each(self._out.bend, sibling)
        elif outcome == "tuning":
            self._each(self._out.bend, channel)
        elif outcome == "unknown":
            self._on_problem("parameter")

    def _make_zone(self, channel: int, members: int) -> None:
        for number in self.zones.configure(channel, members):
            state = self.states[number]
            self._all_sound_off(number)
            state.bend_range = None
            state.expressions = {}
            self._reset(number)
            self._out.expressions(number)

    # -- modes -------------------------------------------------------------------------------------------------------

    def _mode(self, channel: int, number: int) -> None:
        for each in self.zones.speaks_for(channel):
            if number == cc.ALL_SOUND_OFF:
                self._all_sound_off(each)
            elif number == cc.RESET_ALL:
                self._reset(each)
            else:  # all notes off; 124 to 127 imply it
                self._end_notes(each)

    def _all_sound_off(self, channel: int) -> None:
        self._end_notes(channel)
        self._lift_pedals(channel)
        self._out.add(AllNotesOff(channel))

    def _lift_pedals(self, channel: int) -> None:
        self.states[channel].pedals.clear()
        self._out.pedals_up(channel)

    def _reset(self, channel: int) -> None:
        """Volume, program, bank, tuning, bend range, brightness and resonance stay (RP-015)."""
        state = self.states[channel]
        state.expression, state.wheel, state.parameter = 127, 0.0, NO_PARAMETER
        state.pedals.clear()
        state.expressions = {n: v for n, v in state.expressions.items() if n not in _RESET_EXPRESSIONS}
        self._out.gain(channel)
        self._out.bend(channel)
        for which in PEDALS:
            self._out.pedal(channel, which)
        self._out.expressions(channel)
        for place in [place for place in self._pressures if self._keys[place] == channel]:
            del self._pressures[place]
            self._out.add(KeyPressure(*place, 0.0))
