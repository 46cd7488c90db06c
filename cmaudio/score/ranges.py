"""Ranges shared by all ways to play."""

BEND_MAX_SEMITONES = 48.0
GAIN_RANGE_DB = (-80.0, 24.0)
SEED_LIMIT = 2**63 - 1  # the largest seed that is accepted
SEED_MAX = 2**31 - 1  # the largest seed that is chosen at random or shown in a widget
