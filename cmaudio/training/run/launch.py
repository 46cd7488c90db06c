"""Processes, devices and precision of a run."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from typing import Literal

import torch
from lightning_fabric import Fabric

from cmaudio.errors import CmaudioError
from cmaudio.training.config import LoopSettings

_INTERACTIVE = ("bash", "interactive")  # names of SLURM jobs whose shell starts processes by other means
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
_TRIM_BYTES, _MMAP_BYTES = 2**31 - 1, 2**30
Precision = Literal["32-true", "bf16-mixed"]


def launch(loop: LoopSettings, precision: Precision) -> Fabric:
    """Start the processes; under torchrun or SLURM the launcher decides how many there are.

    Raises:
        CmaudioError: the accelerator is not available, or SLURM does not say how many processes a node has.
    """
    _check_accelerator(loop.accelerator)
    devices, nodes = process_layout(loop, os.environ)
    strategy = "ddp" if devices * nodes > 1 else "auto"
    if loop.threads:
        torch.set_num_threads(loop.threads)
    if device_type(loop.accelerator) == "cpu":
        _keep_freed_memory()
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True  # all crops have one shape, so the search for the fastest kernel runs once
    fabric = Fabric(
        accelerator=device_type(loop.accelerator),
        devices=devices,
        num_nodes=nodes,
        strategy=strategy,
        precision=precision,
    )
    fabric.launch()
    return fabric


def process_layout(loop: LoopSettings, environment: Mapping[str, str]) -> tuple[int, int]:
    """Processes per node, and nodes: from the launcher if there is one, else from the configuration.

    Raises:
        CmaudioError: SLURM started several tasks without --ntasks-per-node.
    """
    if "LOCAL_WORLD_SIZE" in environment:  # torchrun, which may itself run inside of SLURM
        return int(environment["LOCAL_WORLD_SIZE"]), int(environment.get("GROUP_WORLD_SIZE", loop.nodes))
    tasks, nodes = int(environment.get("SLURM_NTASKS", "1")), int(environment.get("SLURM_NNODES", loop.nodes))
    if tasks < 2 or environment.get("SLURM_JOB_NAME") in _INTERACTIVE:
        return loop.devices, loop.nodes
    if "SLURM_NTASKS_PER_NODE" in environment:
        return int(environment["SLURM_NTASKS_PER_NODE"]), nodes
    each = -(-tasks // nodes)
    raise CmaudioError(
        f"SLURM started {tasks} tasks without --ntasks-per-node, so a process cannot tell how many share its node. "
        f"Use either `srun --nodes={nodes} --ntasks-per-node={each} cmaudio train ...`, or on one node "
        f"`srun --ntasks-per-node=1 torchrun --nproc-per-node={tasks} -m cmaudio.cli train ...`"
    )


def _check_accelerator(name: str) -> None:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(name, True):
        found = ", ".join(["auto", "cpu", *(other for other, is_there in available.items() if is_there)])
        raise CmaudioError(
            f"loop.accelerator {name}: no such device here, or torch was installed without it; --set "
            f"loop.accelerator to one of {found}"
        )


def device_type(accelerator: str) -> str:
    """ "cuda", "mps" or "cpu": what "auto" resolves to, or the accelerator itself."""
    if accelerator != "auto":
        return accelerator
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def computes_bfloat16(device: str) -> bool:
    """Whether a type of device has bfloat16 arithmetic; others emulate it, several times slower than 32 bit."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "cpu":
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return any(bool(there) for name, there in capabilities.items() if name.endswith("bf16"))
    return False


def resolve_precision(precision: Precision | Literal["auto"], device: str) -> tuple[Precision, str]:
    """The precision to use, and a warning to show if the device emulates it ("" if not)."""
    native = computes_bfloat16(device)
    if precision == "auto":
        return ("bf16-mixed" if native else "32-true"), ""
    if precision == "bf16-mixed" and not native:
        return precision, (
            f"loop.precision bf16-mixed: this device ({device}) emulates bfloat16, which is several times slower than "
            "32 bit; --set loop.precision=auto chooses what the device computes natively"
        )
    return precision, ""


def _keep_freed_memory() -> None:
    """Raise the thresholds above which glibc maps allocations and returns memory; does nothing without glibc.

    By default arrays of 32 MB and more are mapped and unmapped at every step. Two blocks of the consistency network on
    48 crops of 320 frames spent 0.25 s of 1.23 s per step in the kernel, 0.03 s of 1.03 s with these thresholds, for
    14 % more memory.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    if mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES):
        mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
