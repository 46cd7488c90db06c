"""Ranges that every way to play shares."""

BEND_MAX_SEMITONES = 48.0
GAIN_RANGE_DB = (-80.0, 24.0)
SEED_MAX = 2**31 - 1  # of seeds that are drawn and shown; any seed up to 2**63 - 1 is accepted
