"""The quality report of a model: an instrument beside its SoundFont, or a voice beside recordings."""

from cmaudio.evaluation.run import SECTIONS, run_evaluation
from cmaudio.evaluation.tables import print_report

__all__ = ["SECTIONS", "print_report", "run_evaluation"]
