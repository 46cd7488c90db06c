"""The instrument over Open Sound Control (OSC 1.0, Wright 2002): every control and note in, changes and state out.

A datagram goes one way: `packets` takes it apart, `addresses` says what may stand in it, `flow` keeps floods from the
engine, `actions` does it. What the instrument tells goes out by `sender`.
"""

from cmaudio.osc.sender import OscSender
from cmaudio.osc.server import OscServer

__all__ = ["OscSender", "OscServer"]
