"""Tunes a learned timbre in a separate process with torch, so that an instrument keeps playing.

The process is `python -m cmaudio.training.tuning`. It reads one line of JSON and writes lines: its progress and, at the
end, the timbre. It writes no files; if it or its parent is killed, nothing has changed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from cmaudio.errors import CmaudioError
from cmaudio.model.manifest import TimbreDefinition

_MODULE = "cmaudio.training.tuning"
_NEEDS = ("torch", "onnx")


class TuningRequest(BaseModel):
    """The input of the process: the model file, files of examples, the timbre learned from them, and seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path
    examples: list[Path]
    timbre: TimbreDefinition
    seconds: float


class TuningReport(BaseModel):
    """A line of output: progress, the result, or an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = 0.0
    text: str = ""
    timbre: TimbreDefinition | None = None
    error: str | None = None


def can_tune() -> bool:
    """Whether its dependencies are installed."""
    return all(find_spec(name) is not None for name in _NEEDS)


def tuned_apart(request: TuningRequest, on_progress: Callable[[float, str], object]) -> TimbreDefinition:
    """The tuned timbre. Whatever `on_progress` raises ends the process.

    Raises CmaudioError with the error of the process.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process, which ends the other
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request.model_dump_json() + "\n")
        process.stdin.close()
        found = _result(process.stdout, on_progress)
    except BrokenPipeError:
        found = None
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if found is None:
        raise CmaudioError("tuning ended before it was done, most likely for lack of memory; learn with fewer minutes")
    return found


def _result(lines: IO[str], on_progress: Callable[[float, str], object]) -> TimbreDefinition | None:
    for line in lines:
        report = TuningReport.model_validate_json(line)
        if report.error is not None:
            raise CmaudioError(report.error)
        if report.timbre is not None:
            return report.timbre
        on_progress(report.share, report.text)
    return None


def request_for(model: Path, paths: Sequence[str | Path], timbre: TimbreDefinition, seconds: float) -> TuningRequest:
    """With paths that are valid in another process."""
    return TuningRequest(
        model=model.resolve(), examples=[Path(path).expanduser().resolve() for path in paths], timbre=timbre,
        seconds=seconds,
    )  # fmt: skip


__all__ = ["TuningReport", "TuningRequest", "can_tune", "request_for", "tuned_apart"]
