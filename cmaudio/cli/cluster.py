"""The option that distributes work over a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from cmaudio.cli.terminal import notice
from cmaudio.parallel.pool import Pool, local_pool
from cmaudio.parallel.ray_tasks import RayTasks

Cluster = Annotated[
    bool, typer.Option("--cluster", help="Use the Ray cluster of RAY_ADDRESS, or of this machine (not --workers).")
]


def chosen_pool(workers: int, cluster: bool) -> Pool:
    """The pool that does the work: local processes, or the cluster, which chooses its own number of workers."""
    if not cluster:
        return local_pool(workers)
    return RayTasks(on_refused=lambda why: notice(f"not used: {why}; install the same versions on all machines"))
