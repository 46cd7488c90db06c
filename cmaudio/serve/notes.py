"""A stream that plays notes as they are sent: a remote instrument."""

from __future__ import annotations

from cmaudio.engine.engine import Engine
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.engine.note import Note
from cmaudio.errors import CmaudioError
from cmaudio.serve.messages import (
    Bend,
    End,
    Express,
    Message,
    Morph,
    NoteOffMessage,
    NoteOnMessage,
    Stop,
    SustainMessage,
)
from cmaudio.serve.stream import Sink, Stream
from cmaudio.synthesis.voice import Voice

_PARTS_OF_A_BLOCK = 4  # read at a time, so that a note waits for less than a block
_MOST_NOTES = 256  # handles that are kept, ended or not


class NoteStream(Stream):
    """Streams continuously from the start, including silence, so that its client has a steady clock.

    Args:
        loaded: a model that plays notes.
        sink: receives its audio, in stereo.
        polyphony: maximum number of sounding notes; a further one steals the least audible.
        seed: see `Engine`.
        lead_seconds: how far ahead it is made, which delays notes by as much.
    """

    live = True
    buffer_seconds = 0.0

    def __init__(self, loaded: LoadedModel, sink: Sink, polyphony: int, seed: int, lead_seconds: float) -> None:
        engine = Engine(loaded, polyphony=polyphony, seed=seed, channels=2)
        super().__init__(loaded, engine, sink, polyphony, lead_seconds)
        self.block_samples //= _PARTS_OF_A_BLOCK
        self._notes: dict[int, Note] = {}
        self._ended = False

    def lacking(self) -> tuple[list[Voice], list[Voice]]:
        """As `Stream.lacking`: notes start at different times, so their blocks are made up to one block early."""
        return self.engine.lacking(self.block_samples), self.engine.lacking(self.loaded.model.manifest.block_samples)

    @property
    def over(self) -> bool:
        return self._ended and self.engine.idle

    def end(self) -> None:
        """It is over once nothing sounds and nothing is scheduled."""
        self._ended = True

    def act(self, message: Message) -> None:
        """Execute a message. Raises CmaudioError for an invalid one."""
        match message:
            case NoteOnMessage():
                self._start(message)
            case NoteOffMessage():
                self._note(message.id).off()
            case Bend():
                self._note(message.id).bend(message.semitones, message.seconds)
            case Morph():
                self._note(message.id).morph(message.timbre, message.seconds)
            case Express(id=None):
                self.engine.express(message.name, message.value, channel=None)
            case Express():
                self._note(message.id or 0).express(message.name, message.value)
            case SustainMessage():
                self.engine.sustain(message.down)
            case Stop():
                self.engine.panic()
            case End():
                self.engine.all_notes_off()
                self.end()
            case _:
                raise CmaudioError(f"this model plays notes: a message of type {message.type!r} is for voices")

    def _start(self, message: NoteOnMessage) -> None:
        self._notes = {number: note for number, note in self._notes.items() if not note.ended}
        if len(self._notes) >= _MOST_NOTES:
            raise CmaudioError(f"{_MOST_NOTES} notes are held; release some first")
        note = self.engine.note_on(message.pitch, message.velocity, timbre=message.timbre, seed=message.seed)
        self._notes[message.id] = note

    def _note(self, number: int) -> Note:
        if number not in self._notes:
            raise CmaudioError(f"there is no note {number}; start it with note_on")
        return self._notes[number]
