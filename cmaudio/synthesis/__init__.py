"""Voices and networks: control frames in, samples out."""
