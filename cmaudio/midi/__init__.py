"""MIDI: files read and written, ports played from, what messages mean, controllers that are learnt."""
