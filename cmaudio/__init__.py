"""cmaudio: real-time neural audio. One evaluation of a small consistency network generates each block of sound.

import cmaudio

with cmaudio.open() as synth:
    note = synth.note_on(60, velocity=90, timbre="violin")
    note.bend(0.5)
    synth.wait(2)

audio = cmaudio.render("song.mid")
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from cmaudio.engine.engine import Engine as Engine
    from cmaudio.engine.note import Note as Note
    from cmaudio.engine.speech import Speech as Speech
    from cmaudio.errors import CmaudioError as CmaudioError
    from cmaudio.instrument.preset import Preset as Preset
    from cmaudio.instrument.preset_files import load_preset as load_preset
    from cmaudio.instrument.preset_files import save_preset as save_preset
    from cmaudio.model.file import Model as Model
    from cmaudio.model.file import embedded_models as embedded_models
    from cmaudio.model.file import load_model as load_model
    from cmaudio.offline.pattern import render_pattern as render_pattern
    from cmaudio.offline.render import render as render
    from cmaudio.offline.speak import speak as speak
    from cmaudio.offline.spoken import Spoken as Spoken
    from cmaudio.output.devices import list_devices as list_devices
    from cmaudio.score.events import Score as Score
    from cmaudio.score.midi_file import read_midi as read_midi
    from cmaudio.score.pieces import builtin_piece as builtin_piece
    from cmaudio.signal.sound import Sound as Sound
    from cmaudio.synth import Synth as Synth
    from cmaudio.synth import open as open
    from cmaudio.timing.clock import Clock as Clock
    from cmaudio.timing.pattern import Pattern as Pattern
    from cmaudio.timing.steps import Step as Step

__version__ = "0.1.0"

_MODULES = {  # where each public name lives; it is imported when first used, so that `import cmaudio` takes no time
    "Clock": "cmaudio.timing.clock",
    "CmaudioError": "cmaudio.errors",
    "Engine": "cmaudio.engine.engine",
    "Model": "cmaudio.model.file",
    "Note": "cmaudio.engine.note",
    "Pattern": "cmaudio.timing.pattern",
    "Preset": "cmaudio.instrument.preset",
    "Score": "cmaudio.score.events",
    "Sound": "cmaudio.signal.sound",
    "Speech": "cmaudio.engine.speech",
    "Spoken": "cmaudio.offline.spoken",
    "Step": "cmaudio.timing.steps",
    "Synth": "cmaudio.synth",
    "builtin_piece": "cmaudio.score.pieces",
    "embedded_models": "cmaudio.model.file",
    "list_devices": "cmaudio.output.devices",
    "load_model": "cmaudio.model.file",
    "load_preset": "cmaudio.instrument.preset_files",
    "open": "cmaudio.synth",
    "read_midi": "cmaudio.score.midi_file",
    "render": "cmaudio.offline.render",
    "render_pattern": "cmaudio.offline.pattern",
    "save_preset": "cmaudio.instrument.preset_files",
    "speak": "cmaudio.offline.speak",
}
__all__ = list(_MODULES)

if not TYPE_CHECKING:
    _importing = threading.RLock()  # modules that import each other, as the standard library's do, need one order

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
        try:
            from cmaudio.interrupts import interrupts_deferred

            with _importing, interrupts_deferred():  # a library that is half imported cannot be imported again
                value = getattr(import_module(_MODULES[name]), name)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # without the thirty lines of what was being imported
        return globals().setdefault(name, value)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
