"""From sound on disk to a corpus of clips in Lhotse Shar shards, and from there to batches."""
