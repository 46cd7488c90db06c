"""The tunes of kinds of sentences, and the least length of pauses."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.speech.intonation import PAUSE_SECONDS, least_pauses, mean_pitch, shaped
from cmaudio.speech.phonemes import EDGE, Phoneme
from cmaudio.speech.sentences import StretchReader

KNOTS = 4
Doubles = np.ndarray


def said(mark: str, language: str = "en-us", end: float = 55.0, strength: float = 1.0) -> tuple[Doubles, Doubles]:
    """A stretch of three words, falling from 60 to `end`: its pitch before and after."""
    texts = (EDGE, " t", "ˈe", "l", "ɪ", "ʂ", " m", "ˈa", "l", " n", "ˈo", "l", "ɪ", mark)
    phonemes = [Phoneme.of(text) for text in texts]
    seconds = np.full(len(phonemes), 0.1)
    pitch = np.linspace(60, end, KNOTS * len(phonemes)).reshape(-1, KNOTS)
    voiced = np.full_like(pitch, 0.9)
    stretch = StretchReader(language).read(phonemes)
    moved, _ = shaped(stretch, phonemes, seconds, pitch, voiced, language=language, strength=strength)
    return pitch, moved


def test_an_english_question_rises_from_the_last_stressed_vowel_to_its_end() -> None:
    before, after = said("?")
    np.testing.assert_array_equal(after[:10], before[:10])
    assert (np.diff(after[10:13].ravel()) > 0).all()
    assert after[12, -1] > before.mean() + 4


def test_a_russian_question_peaks_on_the_word_asked_about_and_falls() -> None:
    before, after = said("?", "ru-ru", end=59.0)
    assert after[:, 0].argmax() in (2, 3, 4)  # the verb, which is the first word
    assert after.max() > before.mean() + 4
    assert (after[5:] <= before[5:] + 1e-9).all()


def test_a_russian_question_is_not_high_before_the_word_asked_about() -> None:
    texts = (EDGE, " v", "ˈɨ", " t", "ˈe", "l", "ɪ", "ʂ", " m", "ˈa", "?")
    phonemes = [Phoneme.of(text) for text in texts]
    pitch = np.full((len(texts), KNOTS), 55.0)
    pitch[1:3] = 63.0
    stretch = StretchReader("ru-ru").read(phonemes)
    voiced = np.full_like(pitch, 0.9)
    moved, _ = shaped(stretch, phonemes, np.full(len(texts), 0.1), pitch, voiced, language="ru-ru")
    assert moved[:4].max() < moved[4].max() - 3


@pytest.mark.parametrize("mark", [".", ","])
def test_statements_are_left_as_they_are(mark: str) -> None:
    np.testing.assert_array_equal(*said(mark))


def test_a_question_that_rises_by_itself_is_left_as_it_is() -> None:
    np.testing.assert_array_equal(*said("?", end=72.0))


def test_an_exclamation_has_a_wide_range_about_the_same_mean() -> None:
    before, after = said("!", end=56.0)
    assert np.ptp(after) > 6.5
    assert after.mean() == pytest.approx(before.mean())
    before, after = said("!", end=48.0)
    np.testing.assert_array_equal(before, after)  # wide enough


@pytest.mark.parametrize("mark", ["?", "!"])
def test_strength_is_how_far_the_melody_moves(mark: str) -> None:
    before, none = said(mark, strength=0)
    np.testing.assert_array_equal(before, none)
    half, whole = said(mark, strength=0.5)[1], said(mark)[1]
    np.testing.assert_allclose(half - before, (whole - before) / 2, atol=1e-9)


@pytest.mark.parametrize("mark", [",", ".", "?", "!"])
def test_pauses_are_never_shorter_than_their_mark_asks_for(mark: str) -> None:
    phonemes = [Phoneme.of(text) for text in ("a", mark, mark)]
    assert least_pauses(phonemes, np.array([0.01, 0.02, 1.0])).tolist() == [0.01, PAUSE_SECONDS[mark], 1.0]


def test_the_mean_pitch_is_that_of_what_is_voiced() -> None:
    assert mean_pitch(np.array([[50.0, 70.0]]), np.array([[0.9, 0.1]])) == pytest.approx(50, abs=1e-3)
