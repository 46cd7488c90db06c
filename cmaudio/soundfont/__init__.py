"""SoundFont playback, shared by training and evaluation."""
