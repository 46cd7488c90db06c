"""Text normalisation: written text to spoken words."""
