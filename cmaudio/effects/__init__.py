"""Effects: reverb, convolution, chorus, delay, and functions of the user's own."""
