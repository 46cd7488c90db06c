"""Evaluation of a voice on unseen sentences: intelligibility, quality, speed and drift."""

from cmaudio.evaluation.voice.measure import VOICE_SECTIONS, WITHOUT_CORPUS, VoiceSetting

__all__ = ["VOICE_SECTIONS", "WITHOUT_CORPUS", "VoiceSetting"]
