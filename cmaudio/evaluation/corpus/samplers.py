"""Samplers of a block: a consistency model in a few evaluations, a diffusion model by Heun's method in many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cmaudio.model.manifest import NoiseLevels
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.heun import evaluations, heun, karras_sigmas

Denoise = Callable[[Float, float], Float]  # D(x, sigma): (B, K, M) -> (B, K, M)


@dataclass(frozen=True)
class Sampler:
    """`run` takes D and standard normal noise (B, S, K, M), S = `noises`, to blocks (B, K, M)."""

    name: str
    evaluations: int
    noises: int
    run: Callable[[Denoise, Float], Float]


def multistep(steps: int, sigma: NoiseLevels) -> Sampler:
    """Algorithm 1 of Song et al. 2023 (arXiv 2303.01469): denoise fully in one step, add noise again, and repeat.

    1 step from sigma.max; 2 as the engine's fine setting; 4 with a level between and one below, by rule of thumb.
    """
    levels = {
        1: (sigma.max,),
        2: (sigma.max, sigma.fine),
        4: (sigma.max, (sigma.max * sigma.fine) ** 0.5, sigma.fine, sigma.fine / 4),
    }[steps]

    def run(denoise: Denoise, noise: Float) -> Float:
        x = denoise(noise[:, 0] * sigma.start, levels[0])
        for i, level in enumerate(levels[1:], start=1):
            x = denoise(x + sigma.noise(level) * noise[:, i], level)
        return x

    return Sampler(f"{steps} step{'s'[: steps - 1]}", steps, steps, run)


def heun_sampler(steps: int, sigma: NoiseLevels) -> Sampler:
    """The probability flow by Heun's method; in one step that is one evaluation: the model's mean."""
    if steps == 1:
        return Sampler("1 step (mean)", 1, 1, lambda denoise, noise: denoise(noise[:, 0] * sigma.start, sigma.max))
    sigmas = karras_sigmas(steps, sigma.min, sigma.max)
    return Sampler(
        f"{steps} Heun steps", evaluations(steps), 1, lambda denoise, noise: heun(denoise, noise[:, 0], sigmas)
    )
