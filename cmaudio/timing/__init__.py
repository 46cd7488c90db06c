"""Tempo and beats: a sample-accurate clock, the patterns that follow it, Ableton Link and MIDI clock input."""
