"""Tempo and beats: a sample-accurate clock, the patterns that follow it, and MIDI clock input."""
