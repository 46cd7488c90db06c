"""Tempo and beats: a clock on the samples, what plays in time by it, and MIDI clock that it follows."""
