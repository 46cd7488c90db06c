"""The live instrument: engine, sound card, presets and recordings."""
