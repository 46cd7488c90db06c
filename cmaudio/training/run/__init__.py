"""Training runs: the loop, checkpoints, logs, and starting weights."""
