"""Evaluation of a voice on unseen sentences: intelligibility, quality, speed and drift."""

from cmaudio.evaluation.voice.measure import VOICE_SECTIONS, WITHOUT_CORPUS, VoiceContext

__all__ = ["VOICE_SECTIONS", "WITHOUT_CORPUS", "VoiceContext"]
