"""A line between browser and server, or between server and Redis, that can fail in every way that lines do."""

from __future__ import annotations

import asyncio
import contextlib

#: Bytes of a piece.
PIECE = 1 << 14
#: Seconds between looks of a direction that is held up.
LOOK_S = 0.02
#: Bytes that a slow line holds in either direction before its sender must wait.
HELD = 1 << 22


class Line:
    """A proxy of one TCP port, or of one unix socket.

    Parameters
    ----------
    target : tuple or str
        Host and port, or the path of a socket, that it leads to.
    """

    def __init__(self, target: tuple[str, int] | str) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._black: set[asyncio.Task[None]] = set()
        self._held = False
        self.delay_s = 0.0
        #: Bytes per second of each direction of each connection; None for no limit.
        self.rate: float | None = None
        self.port = 0

    async def open(self, path: str | None = None) -> None:
        """Begin to listen, on a socket of this path or on the same port as before."""
        if path is not None:
            self._server = await asyncio.start_unix_server(self._serve, path)
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in [*self._links]:
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def hang(self) -> None:
        """Hold back everything, and close nothing."""
        self._held = True

    def resume(self) -> None:
        """Hand over what was held back, and go on."""
        self._held = False

    def lose(self) -> None:
        """Let nothing of today's connections through ever again, and close none of them; new ones work."""
        self._black |= {*self._links}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links[task] = (writer,)
        try:
            there, back = await self._connect()
            self._links[task] = (writer, back)
            await asyncio.gather(self._carry(task, reader, back), self._carry(task, there, writer))
        except (OSError, asyncio.CancelledError):
            pass  # one side is gone: so is the link
        finally:
            for end in self._links.pop(task):
                end.close()
            self._black.discard(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection(*self._target)

    async def _carry(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry one direction: what comes is taken at once and handed on when due, as a line with a buffer does."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD // PIECE)
        loop = asyncio.get_running_loop()

        async def take() -> None:
            with contextlib.suppress(OSError):  # broken off: as good as its end
                while piece := await reader.read(PIECE):
                    await pieces.put((loop.time(), piece))
            await pieces.put((loop.time(), b""))

        taking = asyncio.create_task(take())
        try:
            while True:
                came_s, piece = await pieces.get()
                while self._held or task in self._black or loop.time() < came_s + self.delay_s:
                    await asyncio.sleep(LOOK_S)
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
                if self.rate is not None:
                    await asyncio.sleep(len(piece) / self.rate)
            with contextlib.suppress(OSError):
                writer.write_eof()
        finally:
            taking.cancel()
