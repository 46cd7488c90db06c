"""Effects: reverb, convolution, chorus, delay, and user functions."""
