"""The quality report: what a model sounds like in figures, with the SoundFont it learnt from beside it."""

from cmaudio.evaluation.report import print_report
from cmaudio.evaluation.run import SECTIONS, run_evaluation

__all__ = ["SECTIONS", "print_report", "run_evaluation"]
