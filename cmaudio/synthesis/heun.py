"""Heun's second-order sampler of a diffusion model's probability flow, as a reference for one-step synthesis.

Karras, Aittala, Aila, Laine: "Elucidating the Design Space of Diffusion-Based Generative Models" (2022),
algorithm 1 with sigma(t) = t and s(t) = 1, which is algorithm 2 without its added noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

_RHO = 7.0  # the paper's choice
STEPS = 18  # 35 evaluations, as for CIFAR-10 in the paper


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float) -> NDArray[np.float64]:
    """The paper's equation 5: (steps + 1,) noise levels from `sigma_max` down to `sigma_min`, then 0."""
    ramp = np.linspace(sigma_max ** (1 / _RHO), sigma_min ** (1 / _RHO), steps)
    return np.append(ramp**_RHO, 0.0)


def evaluations(steps: int) -> int:
    """Number of denoiser calls of `heun`: two per step, but one for the last, which goes to 0."""
    return 2 * steps - 1


def heun(denoise: Callable[[Float, float], Float], noise: Float, sigmas: NDArray[np.float64]) -> Float:
    """Solve dx/dsigma = (x - D(x, sigma)) / sigma from the first of `sigmas` to the last.

    Args:
        denoise: D(x, sigma), the expected clean data behind x at noise level sigma.
        noise: standard normal, of the data's shape; scaled to the first level here.
        sigmas: (N + 1,) decreasing levels; a step to 0 is a plain Euler step.
    Returns:
        float32 data of the noise's shape.
    """
    x = noise.astype(np.float64) * sigmas[0]
    for sigma, following in zip(sigmas[:-1].tolist(), sigmas[1:].tolist(), strict=True):
        slope = (x - denoise(x.astype(np.float32), sigma)) / sigma
        euler = x + (following - sigma) * slope
        if following > 0:
            end_slope = (euler - denoise(euler.astype(np.float32), following)) / following
            x = x + (following - sigma) * (slope + end_slope) / 2
        else:
            x = euler
    return x.astype(np.float32)
