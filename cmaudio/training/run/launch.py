"""Processes, devices and precision of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch
from lightning_fabric import Fabric

from cmaudio.errors import CmaudioError
from cmaudio.training.config import LoopSettings
from cmaudio.training.run.allocator import keep_freed_memory
from cmaudio.training.run.precision import Precision, device_type

_INTERACTIVE = ("bash", "interactive")  # names of SLURM jobs whose shell starts processes by other means


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
        keep_freed_memory()
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
