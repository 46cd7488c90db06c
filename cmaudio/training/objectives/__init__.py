"""Objectives of the consistency network and its teacher: one per file, in the symbols of its paper."""
