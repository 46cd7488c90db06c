"""Tuning a learned timbre by gradient: what a model file says of it is trained, and the networks stay as they are."""
