"""The instrument played from MIDI ports, with controllers bound to its controls."""
