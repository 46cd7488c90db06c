"""Inaudible warm-up blocks, so that the first sound is computed as fast as later ones."""

from __future__ import annotations

from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.note import Note
from cmaudio.engine.speech import Speech
from cmaudio.model.file import Model
from cmaudio.signal.layers import LAYERS
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import Phoneme, Phrase, Word, pause
from cmaudio.speech.prosody import Prosody
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.voice import Voice


def warm_up_notes(allocator: VoiceAllocator, model: Model, renderer: Renderer) -> None:
    """Run several batch sizes, starting with onsets and including a bend."""
    from cmaudio.synthesis import filter_kernel  # imports numba

    filter_kernel.load_kernels()
    if allocator.settings.deviations is not None:
        from cmaudio.synthesis import deviation_kernel  # imports numba

        deviation_kernel.load_kernels(LAYERS)
    vector = model.timbre_vector(None)
    for count in {1, 2, 4, 8, allocator.polyphony}:
        notes = [Note(pitch=60, velocity=64, channel=0, seed=0, allocator=allocator, model=model) for _ in range(count)]
        voices: list[Voice] = [allocator.new_voice(note, vector, 0) for note in notes]
        for _ in range(2):
            renderer.render(voices)
            voices[0].take(voices[0].output.waiting)
            voices[0].bend(voices[0].position, 60.5, 0)


def warm_up_speech(allocator: VoiceAllocator, model: Model, renderer: Renderer, prosody: Prosody) -> None:
    """Read two words, and speak one that consists of the model's own phonemes."""
    from cmaudio.synthesis import filter_kernel  # imports numba

    filter_kernel.load_kernels()
    vector = model.timbre_vector(None)
    language(prosody.language).phrase("one two")
    word = Word("", tuple(Phoneme(symbol) for symbol in prosody.symbols[-8:]))
    segment = next(prosody.for_new_text().segments(Phrase((word, pause("."))), vector))
    speech = Speech(channel=0, seed=0, allocator=allocator, model=model, timbre=vector)
    for count in (1, 2):
        voices: list[Voice] = [speech.new_voice(segment, 0) for _ in range(count)]
        for _ in range(4):
            renderer.render(voices)
