"""Musical events, General MIDI, and Standard MIDI Files."""
