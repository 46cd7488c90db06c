"""cmaudio: real-time neural audio. One evaluation of a small consistency network makes the next block of sound.

import cmaudio

with cmaudio.open() as synth:
    note = synth.note_on(60, velocity=90, timbre="violin")
    note.bend(0.5)
    synth.wait(2)

audio = cmaudio.render("song.mid")
"""

from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import Preset
from cmaudio.instrument.preset_files import load_preset, save_preset
from cmaudio.model.file import Model, embedded_models, load_model
from cmaudio.offline.pattern import render_pattern
from cmaudio.offline.render import render
from cmaudio.offline.speak import speak
from cmaudio.offline.spoken import Spoken
from cmaudio.output.devices import list_devices
from cmaudio.score.events import Score
from cmaudio.score.midi_file import read_midi
from cmaudio.score.pieces import builtin_piece
from cmaudio.signal.sound import Sound
from cmaudio.synth import Synth, open
from cmaudio.timing.clock import Clock
from cmaudio.timing.pattern import Pattern
from cmaudio.timing.steps import Step

__version__ = "0.1.0"

__all__ = [
    "Clock",
    "CmaudioError",
    "Engine",
    "Model",
    "Note",
    "Pattern",
    "Preset",
    "Score",
    "Sound",
    "Speech",
    "Spoken",
    "Step",
    "Synth",
    "builtin_piece",
    "embedded_models",
    "list_devices",
    "load_model",
    "load_preset",
    "open",
    "read_midi",
    "render",
    "render_pattern",
    "save_preset",
    "speak",
]
