"""The queues of the viewers: bounded, one each, so that a slow one holds up nobody else.

Events are lossless: a viewer whose queue is full is let go, and comes back with the id of the last entry that it has.
Waves are not: the newest frames stay, the oldest are dropped and counted, and the page shows a gap.
"""

from __future__ import annotations

import asyncio
from collections import deque

#: Messages that an event viewer may be behind: some minutes of a session.
EVENTS_KEPT = 512
#: Wave frames that a viewer may be behind: half a second of 20 ms frames.
FRAMES_KEPT = 25


class EventViewer:
    """One reader of a bed's events.

    Parameters
    ----------
    kept : int
        Messages that it may be behind.
    """

    def __init__(self, kept: int = EVENTS_KEPT) -> None:
        self._kept = kept
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        #: Whether it was let go; what it lacks it gets when it comes back.
        self.closed = False

    def put(self, message: bytes) -> bool:
        """Queue a message; return False, and close, when the viewer is too far behind."""
        if len(self._queue) >= self._kept:
            self.close()
            return False
        self._queue.append(message)
        self._wake.set()
        return True

    def close(self) -> None:
        """Let the viewer go at once."""
        self.closed = True
        self._queue.clear()
        self._wake.set()

    async def next(self) -> bytes | None:
        """Return all that is queued, as one piece; None once the viewer was let go."""
        while not self._queue and not self.closed:
            self._wake.clear()
            await self._wake.wait()
        if self.closed:
            return None
        piece = b"".join(self._queue)
        self._queue.clear()
        return piece


class WaveViewer:
    """One reader of a bed's wave, or of the ward's: a text that must not be lost, and frames of which the newest stay.

    Parameters
    ----------
    kept : int
        Frames that it may be behind.
    """

    def __init__(self, kept: int = FRAMES_KEPT) -> None:
        self._text: str | None = None
        self._frames: deque[bytes] = deque(maxlen=kept)
        self._wake = asyncio.Event()
        self.closed = False
        #: Frames that were dropped because the viewer was slow.
        self.dropped = 0

    def put(self, frame: bytes) -> None:
        """Queue a frame; the oldest goes when there is no room."""
        self.dropped += len(self._frames) == self._frames.maxlen
        self._frames.append(frame)
        self._wake.set()

    def say(self, text: str) -> None:
        """Queue a text, in the place of one that was not sent yet; it goes before the frames."""
        self._text = text
        self._wake.set()

    def begin(self, hello: str) -> None:
        """Queue the text that names the session; frames of another session before it are of no use."""
        self._frames.clear()
        self.say(hello)

    def close(self) -> None:
        """Let the viewer go."""
        self.closed = True
        self._wake.set()

    async def next(self) -> bytes | str | None:
        """Return what is next, text or binary; None once the viewer was let go."""
        while self._text is None and not self._frames and not self.closed:
            self._wake.clear()
            await self._wake.wait()
        if self.closed:
            return None
        if self._text is None:
            return self._frames.popleft()
        text, self._text = self._text, None
        return text
