"""Playing a source on a sound card."""
