"""Entry point of the command `cmaudio`: errors, signals and exit codes."""

from __future__ import annotations

import signal
import sys

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

INTERRUPTED, TERMINATED = 128 + 2, 128 + 15  # exit codes a shell reports for SIGINT and SIGTERM


def main() -> None:
    """A user's mistake gives one line on standard error and status 1, never a traceback."""
    on_interrupt = signal.getsignal(signal.SIGINT)
    if on_interrupt is signal.default_int_handler:  # ignored where a shell runs it in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is open yet: Ctrl-C ends the imports without a traceback
    from rich.text import Text

    from cmaudio.cli.app import app
    from cmaudio.cli.terminal import errors
    from cmaudio.errors import CmaudioError

    try:
        signal.signal(signal.SIGTERM, _terminate)
        signal.signal(signal.SIGINT, on_interrupt)
        app()
    except CmaudioError as error:
        errors.print(Text.assemble(("error: ", "bold red"), str(error)))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Unwind the stack, so that streams are closed and half-written files removed, as after Ctrl-C."""
    sys.exit(TERMINATED)
