"""Preparing a corpus from recordings."""
