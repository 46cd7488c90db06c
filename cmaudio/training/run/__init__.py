"""Runs: the loop, checkpoints, logs, and starting weights."""
