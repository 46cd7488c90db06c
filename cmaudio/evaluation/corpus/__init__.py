"""A model on the held-out clips of a prepared corpus: any model file, its teacher beside it."""

from cmaudio.evaluation.corpus.measure import measure_corpus

__all__ = ["measure_corpus"]
