"""Scores from MIDI files and their bytes, open files, and objects of other libraries."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.score.events import Score
from cmaudio.score.midi_file import MAX_BYTES, parse_midi, read_midi


def score_from(source: Any) -> Score:
    """The score of any source.

    Args:
        source: a Score; the path of a MIDI file; its bytes; a binary file that is open; a mido.MidiFile, a
            pretty_midi.PrettyMIDI or a music21 stream.
    Raises:
        CmaudioError: something else, or what `cmaudio.read_midi` refuses.
    """
    if isinstance(source, Score):
        return source
    if isinstance(source, str | Path):
        return read_midi(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return parse_midi(bytes(source), "MIDI bytes")
    library = type(source).__module__.partition(".")[0]
    written = io.BytesIO()
    if library == "mido" and hasattr(source, "save"):  # not a track or a message
        source.save(file=written)
    elif library == "pretty_midi" and hasattr(source, "write"):
        source.write(written)
    elif library == "music21":
        from music21.midi.translate import music21ObjectToMidiFile

        written.write(music21ObjectToMidiFile(source).writestr())
    elif hasattr(source, "read"):
        content = source.read(MAX_BYTES + 1)
        if not isinstance(content, bytes):
            raise CmaudioError("a MIDI file is opened in binary mode: open(path, 'rb')")
        written.write(content)
    else:
        raise CmaudioError(
            "a score is a MIDI file's path, its bytes, an open binary file, a Score, or an object of mido, pretty_midi "
            f"or music21 that holds a whole file, not {type(source).__name__}"
        )
    nameless = library if library in ("mido", "pretty_midi", "music21") else "MIDI bytes"
    return parse_midi(written.getvalue(), str(getattr(source, "name", "") or nameless))
