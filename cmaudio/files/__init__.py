"""Files and folders: audio files, atomic writes, resume manifests."""
