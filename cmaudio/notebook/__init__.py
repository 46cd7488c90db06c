"""Display in Jupyter."""
