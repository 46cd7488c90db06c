"""What is trained: one task a file, with its losses and optimisers."""
