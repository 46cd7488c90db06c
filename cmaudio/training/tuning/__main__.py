"""The process that tunes a learned timbre for `cmaudio.learning.tuning`: a request on stdin, reports on stdout."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

import torch

from cmaudio.errors import CmaudioError
from cmaudio.learning.example import measure
from cmaudio.learning.expectation import Expectation
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.reading import read_examples
from cmaudio.learning.tuning import TuningReport, TuningRequest
from cmaudio.model.file import load_model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.training.tuning.tune import tuned

_REPORTED_SECONDS = 0.2
_NICENESS = 10  # whoever plays comes first


def main() -> None:
    with suppress(AttributeError, OSError):  # Windows has no niceness
        os.nice(_NICENESS)
    torch.set_num_threads(1)
    request = TuningRequest.model_validate_json(sys.stdin.readline())
    try:
        _tell(TuningReport(share=1.0, timbre=_tuned(request)))
    except CmaudioError as error:
        _tell(TuningReport(error=str(error)))


def _tuned(request: TuningRequest) -> TimbreDefinition:
    model = load_model(request.model)
    networks = Synthesizer(model)
    sounds = read_examples(request.examples, model.manifest.sample_rate, lambda text: None)
    timbre = request.timbre
    lesson = Lesson(model, networks, Expectation(networks), timbre.name, measure(sounds, model), [timbre], [0.0])
    told = -_REPORTED_SECONDS

    def tell(share: float, text: str) -> None:
        nonlocal told
        if time.monotonic() - told >= _REPORTED_SECONDS:
            told = time.monotonic()
            _tell(TuningReport(share=share, text=text))

    return tuned(lesson, timbre, request.seconds, tell)


def _tell(report: TuningReport) -> None:
    """Ends the process where nobody reads any more."""
    try:
        print(report.model_dump_json(), flush=True)
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    main()
