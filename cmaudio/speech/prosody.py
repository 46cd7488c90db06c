"""Phrases to segments: duration, energy and pitch of each phoneme, predicted by the model's prosody graph.

Shapes: P phonemes, Z timbre dimensions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.speech.features import KNOTS, energy_step, phoneme_ids, pitch_of_feature
from cmaudio.speech.intonation import least_pauses, mean_pitch, shaped
from cmaudio.speech.phonemes import EDGE, PLAIN, Phoneme, Phrase, Word
from cmaudio.speech.sentences import StretchReader, prosody_ids
from cmaudio.synthesis.graph import load_graph

_SECONDS = (0.01, 1.5)  # limits of a phoneme's predicted duration


@dataclass(frozen=True)
class Segment:
    """Phonemes with durations, energy and intonation, at the nominal rate.

    ids (P, 4) of `phoneme_ids`, seconds (P,), energy (P,) feature, semitones (P, 4) and voiced (P, 4) at the knots,
    pivot: the mean pitch, around which the pitch range is scaled; words: each with the index of its first phoneme.
    """

    phonemes: tuple[Phoneme, ...]
    ids: NDArray[np.int64]
    seconds: NDArray[np.float64]
    energy: Float
    semitones: NDArray[np.float64]
    voiced: NDArray[np.float64]
    pivot: float
    words: tuple[tuple[Word, int], ...]


class Prosody:
    """The prosody network of a model.

    Args:
        model: a text-to-speech model.
        tune: how far questions and exclamations are moved towards the tune of their type, 0 to 1
            (`cmaudio.speech.intonation`).
    Raises:
        CmaudioError: a model that is not a text-to-speech voice.
    """

    def __init__(self, model: Model, tune: float = 1.0) -> None:
        speech = model.manifest.speech
        if speech is None:
            raise CmaudioError(
                f"model {model.manifest.name!r} plays notes and does not read text; voices that do: "
                "`cmaudio models list`"
            )
        self.symbols, self.language = speech.symbols, speech.language
        self._graph = load_graph(model, "prosody")
        wrong = self._graph.misfit("timbre", (model.manifest.timbre_dims,))
        if wrong:
            raise CmaudioError(f"{model.path}: graphs and manifest disagree ({wrong}); export the model again")
        # 2 in models that are not conditioned on word boundaries, 3 in those not conditioned on sentence types.
        self._columns = int(self._graph.shapes["ids"][-1])
        self._tune = tune
        self._before = Phoneme(EDGE)
        self._reader = StretchReader(self.language)

    def segments(self, phrase: Phrase, timbre: NDArray[np.float64]) -> Iterator[Segment]:
        """The segments between the pauses of a phrase, in order; phrases must come in order too.

        A segment is conditioned on the pause before it; the first one includes the edge.
        """
        vector = timbre.astype(np.float32)[None]
        stretch: list[Word] = []
        for word in phrase.known(self.symbols).words:
            stretch.append(word)
            if word.is_pause and len(stretch) > 1:
                yield self._segment(stretch, vector)
                stretch = []

    def for_new_text(self) -> Prosody:
        """The same network, reset for a new text."""
        other = copy.copy(self)
        other._before = Phoneme(EDGE)
        other._reader = StretchReader(self.language)
        return other

    def _segment(self, words: list[Word], timbre: Float) -> Segment:
        first = self._before.symbol == EDGE
        phonemes = [phoneme for word in words for phoneme in word.phonemes]
        said = [self._before, *phonemes]
        stretch = self._reader.read(said)
        ids = phoneme_ids(said, self.symbols)
        out = self._graph(prosody_ids(ids, stretch)[None, :, : self._columns], timbre)[0][0].astype(np.float64)
        self._before = phonemes[-1]
        voiced = 1 / (1 + np.exp(-out[:, 2 + KNOTS :]))
        semitones = pitch_of_feature(out[:, 2 : 2 + KNOTS])
        seconds = least_pauses(said, np.clip(np.exp(np.minimum(out[:, 0], 2)), *_SECONDS))
        semitones, voiced = shaped(
            stretch, said, seconds, semitones, voiced, language=self.language, strength=self._tune
        )
        if not first:
            said, ids, out = said[1:], ids[1:], out[1:]
            seconds, semitones, voiced = seconds[1:], semitones[1:], voiced[1:]
        energy = out[:, 1].astype(np.float32)
        begins = np.cumsum([first, *(len(word.phonemes) for word in words)]).tolist()
        for word, begin, end in zip(words, begins, begins[1:], strict=False):
            if word.delivery != PLAIN:
                seconds[begin:end] /= word.delivery.rate
                semitones[begin:end] += word.delivery.pitch
                energy[begin:end] += np.float32(energy_step(word.delivery.energy))
            if word.seconds is not None:
                seconds[begin:end] = max(word.seconds, _SECONDS[0])
        return Segment(
            tuple(said),
            ids,
            seconds,
            energy,
            semitones,
            voiced,
            mean_pitch(semitones, voiced),
            tuple(zip(words, begins, strict=False)),
        )
