"""Modulation: low-frequency oscillators, an envelope and what a key tells, which move controls while notes sound."""
