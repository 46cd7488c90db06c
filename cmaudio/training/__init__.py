"""The training half: networks in torch, and their export to a model file. The live half never imports it."""
