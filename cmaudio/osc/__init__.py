"""The instrument over Open Sound Control (OSC 1.0, Wright 2002): every control and note in, changes and state out.

A datagram is unpacked by `packets` and checked against the table of `addresses`; `schedule` holds it until its time,
`flow` limits floods, `actions` executes it. `sender` sends changes and state.
"""

from cmaudio.osc.sender import OscSender
from cmaudio.osc.server import OscServer

__all__ = ["OscSender", "OscServer"]
