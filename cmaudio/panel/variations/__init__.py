"""Versions of one sound, rendered to files by a separate process."""
