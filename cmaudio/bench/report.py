"""The result of a benchmark as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cmaudio.bench.targets import METRICS, Metric

_VERDICTS = {True: Text("met", "green"), False: Text("not met", "bold red"), None: Text()}


def print_report(result: dict[str, Any], console: Console) -> None:
    """Print a result of `run_bench`: one table per section, metrics beside their targets."""
    machine = result["machine"]
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {machine['os']}\n"
        f"Python {machine['python']}, ONNX Runtime {machine['onnxruntime']}; "
        f"cmaudio {result['cmaudio']}, model {result['model']}; {result['date']}",
        highlight=False,
    )
    for section in dict.fromkeys(metric.path.partition(".")[0] for metric in METRICS):
        if section in result:
            _print_section(section, result, console)
    met = list(result["met"].values())
    console.print(f"{sum(met)} of {len(met)} targets met.", highlight=False)


def _print_section(section: str, result: dict[str, Any], console: Console) -> None:
    if "skipped" in result[section]:
        console.print(f"{section}: skipped, {result[section]['skipped']}", highlight=False)
        return
    table = Table("metric", "measured", "unit", "target", "", title=section, title_justify="left")
    for column in table.columns[1:2]:
        column.justify = "right"
    for metric in METRICS:
        if metric.path.startswith(f"{section}."):
            table.add_row(
                metric.label, _shown(metric, result), metric.unit, metric.target, _VERDICTS[metric.met(result)]
            )
    console.print(table)


def _shown(metric: Metric, result: dict[str, Any]) -> str:
    value = metric.value(result)
    if value is None:
        return "none"
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.3g}"
