"""Objectives of the consistency network and its teacher: one a file, in the symbols of its paper."""
