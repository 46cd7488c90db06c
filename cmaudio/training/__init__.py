"""The training half: networks in torch and the way from weights to a model file. Nothing that plays imports it."""
