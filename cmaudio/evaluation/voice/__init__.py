"""How a voice reads sentences it has not seen: intelligibility, quality, speed, and whether it stays the same."""

from cmaudio.evaluation.voice.measure import VOICE_SECTIONS, WITHOUT_CORPUS, VoiceSetting

__all__ = ["VOICE_SECTIONS", "WITHOUT_CORPUS", "VoiceSetting"]
