"""The sections of a voice's report, and their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.corpus.copying import copy, measure_copying
from cmaudio.evaluation.voice.intonation import intonation
from cmaudio.evaluation.voice.pauses import measure_pauses
from cmaudio.evaluation.voice.pitch import f0_errors, track_f0
from cmaudio.evaluation.voice.reading import READING_SECONDS, WINDOW_SECONDS, read_on
from cmaudio.evaluation.voice.scores import score_sounds
from cmaudio.evaluation.voice.sentences import Sentence, at_peak, held_out_sentences
from cmaudio.evaluation.voice.speakers import peer_speakers, teacher_speaker, voice_speaker
from cmaudio.evaluation.voice.timing import first_sound, speak_all, write_sound
from cmaudio.model.file import Model
from cmaudio.synthesis.networks import Synthesizer

SENTENCES, QUICK_SENTENCES = 100, 8
QUICK_READING_SECONDS, QUICK_WINDOW_SECONDS = 20.0, 5.0


@dataclass(frozen=True)
class VoiceContext:
    """A voice to evaluate.

    Attributes:
        voice: the model.
        corpus: folder of the prepared corpus whose held-out sentences it reads; None for `WITHOUT_CORPUS` alone.
        sounds: folder for what is recorded, copied and spoken, SOUNDS/<kind>/<sentence>.wav.
        progress: called with a line of text.
        quick: a few sentences only.
        limit: maximum number of sentences, None for 100.
        teacher: the diffusion model from which the voice was distilled.
        peers: names of other systems that read the same sentences.
        whisper: a Whisper model in CTranslate2's format, None for the installed packages.
    """

    voice: Model
    corpus: Path | None
    sounds: Path
    progress: Callable[[str], None]
    quick: bool = False
    limit: int | None = None
    teacher: Model | None = None
    peers: tuple[str, ...] = ()
    whisper: Path | None = None

    @cached_property
    def sentences(self) -> list[Sentence]:
        if self.corpus is None:
            return []
        return held_out_sentences(self.corpus, self.voice, self.limit or (QUICK_SENTENCES if self.quick else SENTENCES))

    @property
    def texts(self) -> dict[str, str]:
        return {sentence.name: sentence.text for sentence in self.sentences}


def measure_copies(context: VoiceContext) -> Figures:
    """Copy-synthesis: the recordings' mels through the vocoder, with mel distance, PESQ and pitch errors."""
    synthesizer, rate = Synthesizer(context.voice), context.voice.manifest.sample_rate
    tracks = []
    for sentence in context.sentences:
        sound = copy(synthesizer, sentence.clip)
        tracks.append((track_f0(sound, rate), track_f0(sentence.clip.audio, rate)))
        write_sound(context.sounds / "recording" / f"{sentence.name}.wav", at_peak(sentence.clip.audio), rate)
        write_sound(context.sounds / "copy" / f"{sentence.name}.wav", at_peak(sound), rate)
    clips = [sentence.clip for sentence in context.sentences]
    return {**measure_copying(synthesizer, clips, speech=True), **f0_errors(tracks)}


def measure_speed(context: VoiceContext) -> Figures:
    """Every sentence by the voice in one and two steps, its teacher and its peers."""
    speakers = {"one step": voice_speaker(context.voice, 1), "two steps": voice_speaker(context.voice, 2)}
    if context.teacher is not None:
        speakers["teacher"] = teacher_speaker(context.teacher)
    speakers |= peer_speakers(list(context.peers))
    return speak_all(speakers, context.sentences, context.sounds)


def measure_first_sound(context: VoiceContext) -> Figures:
    return first_sound(context.voice, list(context.texts.values()))


def measure_reading(context: VoiceContext) -> Figures:
    seconds = (QUICK_READING_SECONDS, QUICK_WINDOW_SECONDS) if context.quick else (READING_SECONDS, WINDOW_SECONDS)
    return read_on(context.voice, list(context.texts.values()), context.sounds, *seconds)


def measure_intonation(context: VoiceContext) -> Figures:
    return intonation(context.voice, context.quick)


def measure_marks(context: VoiceContext) -> Figures:
    return measure_pauses(context.voice, context.sentences, context.quick)


def measure_scores(context: VoiceContext) -> Figures:
    """Scores of all sounds written by the earlier sections."""
    speech = context.voice.manifest.speech
    assert speech is not None
    return score_sounds(context.sounds, context.texts, speech.language, context.whisper)


VOICE_SECTIONS: Mapping[str, Callable[[VoiceContext], Figures]] = {
    "copy_synthesis": measure_copies,
    "speed": measure_speed,
    "first_sound": measure_first_sound,
    "intonation": measure_intonation,
    "pauses": measure_marks,
    "reading": measure_reading,
    "scores": measure_scores,  # last: it scores the sounds of the others
}
WITHOUT_CORPUS = frozenset({"intonation", "pauses"})  # sections with sentences of their own
