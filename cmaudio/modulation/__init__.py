"""Modulation: LFOs, an envelope, velocity, pressure and wheel, routed to controls while notes sound."""
