"""A server for speech and notes: the streams of one process are batched."""
