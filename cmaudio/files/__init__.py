"""Files and folders: audio files, atomic writes, object storage, resume manifests."""
