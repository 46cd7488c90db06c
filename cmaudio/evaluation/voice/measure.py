"""The sections of a voice's report, and their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cmaudio.evaluation.corpus.copying import copy, measure_copying
from cmaudio.evaluation.setting import Figures
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
class VoiceSetting:
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


def measure_copies(setting: VoiceSetting) -> Figures:
    """Copy-synthesis: the recordings' mels through the vocoder, with mel distance, PESQ and pitch errors."""
    synthesizer, rate = Synthesizer(setting.voice), setting.voice.manifest.sample_rate
    tracks = []
    for sentence in setting.sentences:
        sound = copy(synthesizer, sentence.clip)
        tracks.append((track_f0(sound, rate), track_f0(sentence.clip.audio, rate)))
        write_sound(setting.sounds / "recording" / f"{sentence.name}.wav", at_peak(sentence.clip.audio), rate)
        write_sound(setting.sounds / "copy" / f"{sentence.name}.wav", at_peak(sound), rate)
    clips = [sentence.clip for sentence in setting.sentences]
    return {**measure_copying(synthesizer, clips, speech=True), **f0_errors(tracks)}


def measure_speed(setting: VoiceSetting) -> Figures:
    """Every sentence by the voice in one and two steps, its teacher and its peers."""
    speakers = {"one step": voice_speaker(setting.voice, 1), "two steps": voice_speaker(setting.voice, 2)}
    if setting.teacher is not None:
        speakers["teacher"] = teacher_speaker(setting.teacher)
    speakers |= peer_speakers(list(setting.peers))
    return speak_all(speakers, setting.sentences, setting.sounds)


def measure_first_sound(setting: VoiceSetting) -> Figures:
    return first_sound(setting.voice, list(setting.texts.values()))


def measure_reading(setting: VoiceSetting) -> Figures:
    seconds = (QUICK_READING_SECONDS, QUICK_WINDOW_SECONDS) if setting.quick else (READING_SECONDS, WINDOW_SECONDS)
    return read_on(setting.voice, list(setting.texts.values()), setting.sounds, *seconds)


def measure_intonation(setting: VoiceSetting) -> Figures:
    return intonation(setting.voice, setting.quick)


def measure_marks(setting: VoiceSetting) -> Figures:
    return measure_pauses(setting.voice, setting.sentences, setting.quick)


def measure_scores(setting: VoiceSetting) -> Figures:
    """Scores of all sounds written by the earlier sections."""
    speech = setting.voice.manifest.speech
    assert speech is not None
    return score_sounds(setting.sounds, setting.texts, speech.language, setting.whisper)


VOICE_SECTIONS: Mapping[str, Callable[[VoiceSetting], Figures]] = {
    "copy_synthesis": measure_copies,
    "speed": measure_speed,
    "first_sound": measure_first_sound,
    "intonation": measure_intonation,
    "pauses": measure_marks,
    "reading": measure_reading,
    "scores": measure_scores,  # last: it scores the sounds of the others
}
WITHOUT_CORPUS = frozenset({"intonation", "pauses"})  # sections with sentences of their own
