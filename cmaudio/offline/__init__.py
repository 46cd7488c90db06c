"""Rendering to arrays and files, without a sound card."""
