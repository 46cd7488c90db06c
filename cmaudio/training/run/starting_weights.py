"""The weights that a stage starts from: earlier stages of the run, then `start_from`, then random initialisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from torch import nn

from cmaudio.errors import CmaudioError
from cmaudio.training.config import STAGES, RunConfig
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.networks.discriminators import Discriminators
from cmaudio.training.run.weights import (
    can_start_from,
    finished,
    read_statistics,
    start_from,
    start_where_it_fits,
    weights_file,
)

DISCRIMINATORS = "discriminators"
_PREDECESSOR = {"student": "teacher", "vocoder_tuning": "vocoder"}
ModuleT = TypeVar("ModuleT", bound=nn.Module)


class StartingWeights:
    """Initialises networks before a stage.

    Args:
        config: of the run.
        folder: of the run.
        timbres: of the corpus, in order.
        symbols: phonemes of the corpus, in order.
        note: called with a line of text about where weights come from.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        timbres: Sequence[str],
        symbols: Sequence[str],
        note: Callable[[str], None],
    ) -> None:
        self._config, self._folder, self._timbres, self._symbols = config, folder, timbres, symbols
        self._note = note

    def statistics(self) -> MelStatistics | None:
        """Mel statistics of the run's weights, or of those it starts from; None: use those of the corpus.

        A vocoder that is not trained in this run fixes them: the student has to adapt to it.
        """
        config, start = self._config, self._config.start_from
        own = [weights_file(self._folder, stage) for stage in STAGES]
        starts = [start.prior, start.student, start.teacher, start.vocoder]
        if config.vocoder is None and config.vocoder_tuning is None and config.joint is None:
            starts.insert(0, start.vocoder)
        if config.vocoder is not None and config.vocoder.distil is not None:
            starts.append(config.vocoder.distil.weights)
        given = [path for path in (*own, *starts) if path is not None and can_start_from(path)]
        return read_statistics(given[0]) if given else None

    def initial(self, stage: str, module: ModuleT) -> ModuleT:
        """Load the weights of the previous stage, else of `start_from`, else leave it as initialised."""
        path = self._source(stage)
        if path is not None:
            found = self._load(stage, path, module, "start_from")
            self._note(f"{stage} starts from {path} ({found} of {len(self._timbres)} timbres known)")
        return module

    def teacher(self, stage: str, path: Path, module: ModuleT) -> ModuleT:
        """Load the weights of a network that a stage distils."""
        self._load(stage, path, module, f"{stage}.distil.weights")
        self._note(f"{stage} distils {path}")
        return module

    def _load(self, stage: str, path: Path, module: nn.Module, setting: str) -> int:
        if not can_start_from(path):
            raise CmaudioError(
                f"{stage} needs the weights {path}, which do not exist; train that stage first or correct {setting}"
            )
        return start_from(path, module, self._timbres, self._symbols)

    def _source(self, stage: str) -> Path | None:
        before = _PREDECESSOR.get(stage)
        if before and getattr(self._config, before):
            return weights_file(self._folder, before)
        given: dict[str, Path | None] = dict(self._config.start_from)
        return given.get(stage) or given.get(before or "")

    def trained(self, part: str, module: ModuleT) -> ModuleT:
        """Load the weights of this run's last finished stage for a part of the model, else as `initial`."""
        path = finished(self._folder, part)
        if path is None:
            return self.initial(part, module)
        start_from(path, module, self._timbres, self._symbols)
        return module

    def discriminators(self, stage: str, discriminators: Discriminators) -> None:
        """Load those of the previous stage, else of `start_from`, if the shapes agree.

        Untrained ones need thousands of steps before their gradient is useful.
        """
        path = finished(self._folder, DISCRIMINATORS) or self._config.start_from.discriminators
        if path is None:
            return
        known = start_where_it_fits(path, discriminators)
        origin = f"resumed from {path}" if known else f"new, since those of {path} have another shape"
        self._note(f"{stage}: discriminators are {origin}")
