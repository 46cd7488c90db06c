"""Score events as MIDI messages, and a Score as the bytes of a Standard MIDI File. mido packs the bytes."""

from __future__ import annotations

import io
import math

import mido

from cmaudio.files.names import as_text
from cmaudio.score.controllers import (
    ALL_SOUND_OFF,
    BY_EXPRESSION,
    DATA_COARSE,
    DATA_FINE,
    RPN_COARSE,
    RPN_FINE,
    SOSTENUTO,
    SUSTAIN,
    VOLUME,
    controller_value,
    wheel_value,
)
from cmaudio.score.events import (
    PERCUSSION_CHANNEL,
    AllNotesOff,
    ChannelGain,
    Event,
    Expression,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Score,
    Sostenuto,
    Sustain,
)

TICKS_PER_BEAT, TICKS_PER_SECOND = 9600, 19_200  # at 120 beats per minute
_MICROSECONDS_PER_BEAT = 500_000


def encode_score(score: Score) -> bytes:
    """The bytes of a type 1 file with one track for each channel; see `write_midi` for the rounding."""
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    head = mido.MidiTrack([mido.MetaMessage("track_name", name=as_text(score.name))])
    head.append(mido.MetaMessage("set_tempo", tempo=_MICROSECONDS_PER_BEAT))
    song.tracks.append(head)
    for channel in sorted({event.channel for _, event in score.events}):
        song.tracks.append(_channel_track(channel, [pair for pair in score.events if pair[1].channel == channel]))
    data = io.BytesIO()
    song.save(file=data)
    return data.getvalue()


def _channel_track(channel: int, events: list[tuple[float, Event]]) -> mido.MidiTrack:
    bends = [abs(event.semitones) for _, event in events if isinstance(event, PitchBend)]
    bend_range = max(2, math.ceil(max(bends, default=0.0)))
    track = mido.MidiTrack([_control(channel, VOLUME, 127), *bend_range_messages(channel, bend_range)])
    tick, program = 0, None
    for time, event in events:
        now = round(time * TICKS_PER_SECOND)
        if isinstance(event, NoteOn) and channel != PERCUSSION_CHANNEL and event.program != program:
            program = event.program
            track.append(mido.Message("program_change", channel=channel, program=program, time=now - tick))
            tick = now
        track.append(event_message(event, bend_range).copy(time=now - tick))
        tick = now
    return track


def _control(channel: int, control: int, value: int) -> mido.Message:
    return mido.Message("control_change", channel=channel, control=control, value=value)


def bend_range_messages(channel: int, semitones: int) -> list[mido.Message]:
    """Registered parameter 0: the bend range, in semitones at full wheel."""
    chosen, none_chosen = ((RPN_COARSE, 0), (RPN_FINE, 0)), ((RPN_COARSE, 127), (RPN_FINE, 127))
    controls = (*chosen, (DATA_COARSE, semitones), (DATA_FINE, 0), *none_chosen)
    return [_control(channel, control, value) for control, value in controls]


def event_message(event: Event, bend_range: int) -> mido.Message:
    """The message for an event on a channel with this bend range in semitones."""
    channel = event.channel
    match event:
        case NoteOn():
            return mido.Message("note_on", channel=channel, note=event.pitch, velocity=event.velocity)
        case NoteOff():
            return mido.Message("note_off", channel=channel, note=event.pitch)
        case Sustain():
            return _control(channel, SUSTAIN, 127 * event.down)
        case Sostenuto():
            return _control(channel, SOSTENUTO, 127 * event.down)
        case KeyPressure(_, pitch, value):
            pressure = controller_value("pressure", value)
            return mido.Message("polytouch", channel=channel, note=pitch, value=pressure)
        case PitchBend():
            pitch = wheel_value(event.semitones / bend_range)
            return mido.Message("pitchwheel", channel=channel, pitch=pitch)
        case ChannelGain():
            return _control(channel, VOLUME, round(127 * math.sqrt(min(max(event.gain, 0.0), 1.0))))
        case Expression(_, "pressure", value):
            return mido.Message("aftertouch", channel=channel, value=controller_value("pressure", value))
        case Expression(_, name, value):
            return _control(channel, BY_EXPRESSION[name], controller_value(name, value))
        case AllNotesOff():
            return _control(channel, ALL_SOUND_OFF, 0)
