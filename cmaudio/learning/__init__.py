"""Learns a timbre from an example, without training: the difference between a recording and a model's prior."""
