"""What is trained: one task per file, with its losses and optimisers."""
