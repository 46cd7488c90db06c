"""Checks, before training, that a network from another package can be written to a model file."""

from __future__ import annotations

from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place
from cmaudio.model.graph_check import check_graph
from cmaudio.training.config import RunConfig
from cmaudio.training.corpus.description import read_description
from cmaudio.training.export.graphs import export_network
from cmaudio.training.run.build_networks import make_consistency_network


def check_exportable(config: RunConfig, corpus: Place) -> None:
    """Raises CmaudioError if the network has operators that model files may not contain, or cannot be traced."""
    if config.network.kind == "consistency":
        return
    network = make_consistency_network(config, read_description(corpus))
    try:
        graphs = export_network(network.eval())
    except Exception as error:  # the tracer fails in many ways on code that it cannot follow
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise CmaudioError(f"network {config.network.kind} cannot be exported ({reason}); simplify it") from error
    for name, graph in graphs.items():
        try:
            check_graph(Path(config.network.kind), name, graph)
        except CmaudioError as error:
            raise CmaudioError(
                f"network {error}. Model files hold only the operations in cmaudio.model.graph_check.OPERATORS: write "
                "the network with those"
            ) from error
