"""The demo pieces by name."""

from __future__ import annotations

from cmaudio.demos.glass import GLASS
from cmaudio.demos.lamp import LAMP
from cmaudio.demos.machines import MACHINES
from cmaudio.demos.piece import Demo, ScoreDemo
from cmaudio.demos.pocket import POCKET
from cmaudio.demos.shore import SHORE
from cmaudio.demos.storm import STORM
from cmaudio.errors import CmaudioError, nearest
from cmaudio.files.names import file_stem
from cmaudio.score.pieces import builtin_piece

EVENING = ScoreDemo("evening", "Evening in F", "flute, electric piano, bass, strings and celesta", score=builtin_piece)
DEMOS: dict[str, Demo] = {demo.name: demo for demo in (EVENING, POCKET, SHORE, GLASS, MACHINES, STORM, LAMP)}


def find_demo(name: str) -> Demo:
    """The demo of this name or title, in any case. Raises CmaudioError with the nearest names for another."""
    wanted = file_stem(name)
    titles = {file_stem(demo.title): demo for demo in DEMOS.values()}
    if found := DEMOS.get(wanted) or titles.get(wanted):
        return found
    near = nearest(wanted, [*DEMOS, *titles])[:2] if wanted else []
    raise CmaudioError(
        f"no demo is called {name!r}"
        + (f" (near: {', '.join(near)})" if near else "")
        + f"; there are {', '.join(DEMOS)}"
    )
