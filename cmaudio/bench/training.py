"""A training step: its arithmetic and memory traffic, their lower bound on an H100, and its time on this device."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from cmaudio.training.tasks.consistency import ConsistencyTask

# NVIDIA's data sheet of the H100 SXM: dense bf16 products, and memory.
H100_FLOPS, H100_BYTES_PER_SECOND = 989e12, 3.35e12
_CLIPS, _FRAMES, _BANDS, _TIMBRES = 64, 320, 128, 128
_CPU_CLIPS = 4  # of the 64; results are scaled to the whole step
_SECONDS = 20.0


def measure_training() -> dict[str, Any]:
    """A step of easy consistency tuning (8 M parameters, 64 clips x 320 frames), on the GPU where there is one.

    Keys: `device`, `clips` computed at a time, `teraflop` (products of a whole step, forward and backward),
    `gigabytes` (tensors kept for the backward pass, written and read once, and those of optimiser and weight average),
    `floor_ms` on an H100, its `bound_by`, `step_ms` (median), `steps_per_second`, `share_of_floor` (of an H100's),
    `teraflop_per_second`, and `share_of_products`: that rate relative to one large matrix product on the same device.
    Or `skipped` where torch is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError:
        return {"skipped": "torch is missing: pip install 'cmaudio[train]'"}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    clips = _CLIPS if device == "cuda" else _CPU_CLIPS
    scale = _CLIPS / clips
    step, loss = _make_step(clips, device)
    flop, kept = _count(loss)
    parameters = 8.1e6 * 4
    # Gradient, two moments, weight and average: each read and written once.
    moved = scale * 2 * kept + 10 * parameters
    floor_s = max(scale * flop / H100_FLOPS, moved / H100_BYTES_PER_SECOND)
    step_s = _median_seconds(step, device) * scale
    rate = scale * flop / step_s
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "clips": clips,
        "teraflop": scale * flop / 1e12,
        "gigabytes": moved / 1e9,
        "floor_ms": 1e3 * floor_s,
        "bound_by": "memory" if moved / H100_BYTES_PER_SECOND >= floor_s else "arithmetic",
        "step_ms": 1e3 * step_s,
        "steps_per_second": 1 / step_s,
        "share_of_floor": floor_s / step_s,
        "teraflop_per_second": rate / 1e12,
        "share_of_products": rate / _product_rate(device),
    }


def _make_step(clips: int, device: str) -> tuple[Callable[[], None], Callable[[], Tensor]]:
    """The whole step, and its loss alone; compiled on a GPU, as in a training run."""
    import torch

    task, draw = _make_task(clips, device)
    optimiser = task.optimiser("network", task.network.parameters())
    average = [p.detach().clone() for p in task.network.parameters()]

    def loss() -> Tensor:
        batch, draws = draw()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            return task.loss("network", batch, draws, 0.5)[0]

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(task.network.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, list(task.network.parameters()), 0.001)

    return step, loss


def _make_task(clips: int, device: str) -> tuple[ConsistencyTask, Callable[[], Any]]:
    import torch

    from cmaudio.model.manifest import NoiseLevels
    from cmaudio.synthesis.note_features import NOTE_FEATURES
    from cmaudio.training.config import ConsistencyStage
    from cmaudio.training.corpus.batch import Batch
    from cmaudio.training.networks.consistency import ConsistencyNetwork
    from cmaudio.training.tasks.consistency import ConsistencyTask

    torch.manual_seed(0)
    controls = NOTE_FEATURES + _BANDS
    network = ConsistencyNetwork(mel_bands=_BANDS, controls=controls, timbres=_TIMBRES).to(device)
    stage = ConsistencyStage.model_validate({"objective": {"objective": "ect"}, "steps": 1000, "optimiser": "radam"})
    sigma = NoiseLevels(min=0.002, max=80, data=1, fine=1, context=0.1)
    task = ConsistencyTask(network, stage, sigma, compiled=device == "cuda")
    batch = Batch(
        mel=torch.randn(clips, _FRAMES, _BANDS, device=device),
        controls=torch.randn(clips, _FRAMES, controls, device=device),
        timbre=torch.randint(_TIMBRES, (clips,), device=device),
        f0=torch.full((clips, _FRAMES), 220.0, device=device),
        audio=torch.zeros(clips, 0, device=device),
        scored=torch.ones(clips, _FRAMES, dtype=torch.bool, device=device),
    )
    generator = torch.Generator(device).manual_seed(0)
    return task, lambda: (batch, task.draw(batch, generator, 0.5))


def _count(loss: Callable[[], Tensor]) -> tuple[float, float]:
    """Floating-point operations of the products, forward and backward, and bytes kept between the two."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.compiler.set_stance("force_eager"), FlopCounterMode(display=False) as counter:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            value = loss()
        value.backward()  # type: ignore[no-untyped-call]
    return float(counter.get_total_flops()), float(sum(kept.values()))


def _median_seconds(step: Callable[[], None], device: str) -> float:
    import statistics

    import torch

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):  # compiles, and warms up
        step()
    wait()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - began < _SECONDS:
        start = time.perf_counter()
        for _ in range(10 if device == "cuda" else 1):
            step()
        wait()
        times.append((time.perf_counter() - start) / (10 if device == "cuda" else 1))
    return statistics.median(times)


def _product_rate(device: str) -> float:
    """Operations per second of a large product in the precision that the step uses."""
    import torch

    size, kind = (8192, torch.bfloat16) if device == "cuda" else (2048, torch.float32)
    a = torch.randn(size, size, device=device, dtype=kind)
    out = torch.empty_like(a)

    def product() -> None:
        torch.mm(a, a, out=out)

    return 2 * size**3 / _median_seconds(product, device)
