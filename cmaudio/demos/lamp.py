"""A text for a voice: dates, times, units, a question and an answer."""

from __future__ import annotations

from cmaudio.demos.piece import TextDemo

_TEXT = """On 5 May 1893, at 19:45, the lamp was lit for the first time. It turned once every 20 seconds, and in clear
weather it could be seen for 31 km.

Who keeps it now? Nobody does. It keeps itself, and on most nights nobody is there to see it: only the sea, the birds,
and now and then a ship that was never lost."""

LAMP = TextDemo("lamp", "The lamp", "a voice that reads a text", text=_TEXT, style={"rate": 0.95})
