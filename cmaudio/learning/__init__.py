"""A timbre from an example: how a recording differs from what a model's prior says, found without training."""
