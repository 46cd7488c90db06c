"""The threads that make the blocks of all streams, batched by model.

A thread takes the most urgent streams that no other thread is processing, makes a block for each voice that lacks one,
reads the streams whose blocks are complete, and repeats. A stream sounds as it would alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from cmaudio.callbacks import call_guarded
from cmaudio.serve.choice import Candidate, next_batch, seconds_until_due
from cmaudio.serve.stream import Stream
from cmaudio.synthesis.voice import Voice

OnBatch = Callable[[str, int, float], object]
_LONGEST_WAIT_SECONDS = 0.5


class Batcher:
    """Makes the audio of the added streams, until they have ended, are cancelled or fail.

    Args:
        workers: number of threads.
        on_batch: called after each evaluation: model, voices, thread seconds.
        on_end: called for each stream that has ended, on a thread of the batcher.
    """

    def __init__(
        self,
        workers: int = 1,
        on_batch: OnBatch = lambda model, voices, seconds: None,
        on_end: Callable[[Stream], object] = lambda stream: None,
    ) -> None:
        self._on_batch, self._on_end = on_batch, on_end
        self._streams: dict[int, Stream] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"cmaudio-serve-{i}", daemon=True) for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def streams(self) -> list[Stream]:
        """The active streams."""
        with self._changed:
            return list(self._streams.values())

    @property
    def failed(self) -> bool:
        """Whether a thread has died."""
        return not self._closed and not all(thread.is_alive() for thread in self._threads)

    def add(self, stream: Stream) -> None:
        """Make a stream's audio from now on."""
        with self._changed:
            self._streams[stream.name] = stream
            self._changed.notify_all()

    def wake(self, stream: Stream) -> None:
        """A stream has more to make, or room for it, or was cancelled."""
        with self._changed:
            stream.asleep = False
            self._changed.notify()

    def close(self) -> None:
        """End all streams and threads."""
        with self._changed:
            self._closed = True
            for stream in self._streams.values():
                stream.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for stream in list(self._streams.values()):
            self._end(stream)

    # -- threads -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (claimed := self._claim()) is not None:
            try:
                self._advance(claimed)
            finally:
                self._release(claimed)

    def _claim(self) -> list[Stream] | None:
        """Wait for streams that are due, and claim them for this thread; None when closed."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                free = [s for s in self._streams.values() if not (s.busy or s.asleep)]
                dropped = [stream for stream in free if stream.cancelled]
                candidates = [_candidate(s, now) for s in free if not (s.cancelled or s.sink.full)]
                if claimed := dropped or [self._streams[name] for name in next_batch(candidates)]:
                    for stream in claimed:
                        stream.busy, stream.asleep = True, not stream.cancelled  # `wake` may come from now on
                    return claimed
                wait = seconds_until_due(candidates)
                self._changed.wait(_LONGEST_WAIT_SECONDS if wait is None else min(wait, _LONGEST_WAIT_SECONDS))
        return None

    def _release(self, streams: Sequence[Stream]) -> None:
        with self._changed:
            for stream in streams:
                stream.busy = False
            self._changed.notify()

    def _advance(self, streams: Sequence[Stream]) -> None:
        """Make one block for each voice of these streams that lacks one, and read complete ones."""
        started = time.perf_counter()
        ready = {stream: voices for stream in streams if (voices := self._lacking(stream)) is not None}
        made = [voice for now, _ in ready.values() for voice in now]
        if made:  # blocks that others will need soon cost little more
            made = [voice for _, soon in ready.values() for voice in soon]
        try:
            if made:
                next(iter(ready)).loaded.renderer.render(made)
        except Exception as error:  # it is unknown whose voice caused it
            for stream in ready:
                self._fail(stream, error)
            return
        for stream in ready:
            self._read(stream)
        if made:
            self._on_batch(streams[0].model_name, sum(voice.steps for voice in made), time.perf_counter() - started)

    def _lacking(self, stream: Stream) -> tuple[list[Voice], list[Voice]] | None:
        """`Stream.lacking`, or None if nothing can be made: it has ended, or waits for input."""
        if stream.cancelled:
            self._end(stream)
            return None
        try:
            voices = stream.lacking()
            if stream.ready:
                stream.asleep = False
                return voices
            if stream.over:
                self._finish(stream)
            else:
                stream.flush()
                stream.waited = True
        except Exception as error:
            self._fail(stream, error)
        return None

    def _read(self, stream: Stream) -> None:
        try:
            if not stream.engine.lacking(stream.block_samples):
                stream.give(stream.engine.read(stream.block_samples))
                if stream.over:
                    self._finish(stream)
        except Exception as error:
            self._fail(stream, error)

    def _finish(self, stream: Stream) -> None:
        """Raises what its sink raises."""
        stream.finish()
        self._end(stream)

    def _fail(self, stream: Stream, error: Exception) -> None:
        call_guarded(stream.fail, error)
        self._end(stream)

    def _end(self, stream: Stream) -> None:
        with self._changed:
            known = self._streams.pop(stream.name, None)
        if known is not None:
            stream.cancel()
            call_guarded(self._on_end, stream)


def _candidate(stream: Stream, now: float) -> Candidate:
    return Candidate(stream.name, stream.model_name, stream.slack_seconds(now), stream.lead_seconds, stream.voices)
