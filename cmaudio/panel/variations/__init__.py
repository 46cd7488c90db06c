"""Versions of one sound, rendered to files by a process of its own."""
