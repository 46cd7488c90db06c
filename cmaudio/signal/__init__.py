"""Signal processing that needs no model: STFT, mel, excitation, limiter, spectrograms."""
