"""Packs a run into a model file."""
