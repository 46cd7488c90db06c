"""A model and its teacher on the held-out clips of a prepared corpus."""

from cmaudio.evaluation.corpus.measure import measure_corpus

__all__ = ["measure_corpus"]
