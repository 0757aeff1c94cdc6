"""``flexion`` as a user runs it: a process of its own, its log lines as events, its children by name."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil

from acquisition.session import SessionFolder
from streaming import keys
from streaming.connection import connect
from streaming.errors import TransportDown
from streaming.heartbeat import Beat

#: The command as it is installed beside this interpreter.
FLEXION = str(Path(sys.executable).with_name("flexion"))
#: Seconds after which something that was awaited will not come; the machine may be busy with other work.
PATIENCE_S = 90.0
#: Seconds between looks at what no event tells.
LOOK_S = 0.02
#: Lines of the log that go with a failure.
TAIL = 40


class Running:
    """A command that runs, with what it has said so far.

    Parameters
    ----------
    folder : Path
        Its data folder, and where its stdout goes.
    arguments : str
        Of the command.
    data : Path, optional
        Another data folder.
    variables : str
        Settings beside those that every test has: each change in one line of JSON.
    """

    def __init__(self, folder: Path, *arguments: str, data: Path | None = None, **variables: str) -> None:
        self.data = data or folder / "data"
        self._stdout = folder / f"{arguments[0]}.stdout"
        self.environment = {**clean_environment(), **variables, "FLEXION_DATA_DIR": str(self.data)}
        self.environment |= {"FLEXION_LOG__LEVEL": "info", "FLEXION_LOG__FORMAT": "json"}
        with self._stdout.open("wb") as stdout:
            self.process = subprocess.Popen(
                [FLEXION, *arguments], stdout=stdout, stderr=subprocess.PIPE, env=self.environment, cwd=folder
            )
        self._said: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # -- what it says ---------------------------------------------------------------------------

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self._said.append(_event(line))
                self._news.notify_all()
        with self._news:
            self._said.append({"event": "its stderr was closed"})
            self._news.notify_all()

    def said(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines of this event so far."""
        with self._news:
            return [line for line in self._said if line["event"] == event and fields.items() <= line.items()]

    def await_said(self, event: str, *, times: int = 1, **fields: Any) -> dict[str, Any]:
        """Wait until it has said something so many times, and return that line."""
        deadline_s = time.monotonic() + PATIENCE_S
        with self._news:
            while True:
                lines = [line for line in self._said if line["event"] == event and fields.items() <= line.items()]
                if len(lines) >= times:
                    return lines[times - 1]
                if self._said and self._said[-1]["event"] == "its stderr was closed":
                    raise AssertionError(f"it ended without {event} {fields}:\n{self.tail()}")
                if not self._news.wait(deadline_s - time.monotonic()):
                    raise AssertionError(f"no {event} {fields} (time {times}):\n{self.tail()}")

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(json.dumps(line) for line in self._said[-TAIL:])

    # -- its children ---------------------------------------------------------------------------

    def child(self, name: str, *, times: int = 1) -> psutil.Process:
        """Wait until a child was started for the n-th time, and return its process."""
        line = self.await_said("child started", child=name, times=times)
        return psutil.Process(line["pid"])

    def processes(self) -> list[psutil.Process]:
        """Return it and everything that it has started and that still lives."""
        try:
            whole = psutil.Process(self.process.pid)
            return [whole, *whole.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def redis(self) -> psutil.Process:
        """Return the process of its private Redis."""
        return await_that(self._redis, "a private Redis")

    def _redis(self) -> psutil.Process | None:
        return next((p for p in self.processes() if "redis.sock" in " ".join(_words(p))), None)

    @property
    def redis_folder(self) -> Path:
        """Where its private Redis has its socket and its log."""
        (folder,) = set(re.findall(r"(/\S+)/redis\.sock", " ".join(_words(self.redis()))))
        return Path(folder)

    @property
    def redis_url(self) -> str:
        """Where its private Redis answers."""
        return f"unix://{self.redis_folder}/redis.sock"

    # -- its sessions ---------------------------------------------------------------------------

    def sessions(self, n: int = 1) -> list[str]:
        """Wait until so many sessions are open, and return their ids in the order of their beds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            lines = self.said("child started", restarts=0)
            ids = [line["child"].removeprefix("bridge ") for line in lines if line["child"].startswith("bridge ")]
            if len(ids) >= n:
                return ids
            assert self.process.poll() is None and time.monotonic() < deadline_s, self.tail()
            time.sleep(LOOK_S)

    def folder(self, session: str) -> Path:
        """Return the folder of a session."""
        return self.data / "sessions" / session

    # -- its end --------------------------------------------------------------------------------

    def finish(self) -> int:
        """Wait until it has ended and return its exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def result(self) -> Any:
        """Return the object that it printed."""
        return json.loads(self._stdout.read_text(encoding="utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End whatever is left, by its process id; a failure is shown with the log."""
        if kind is not None:
            print(self.tail())
        for process in self.processes():
            process.kill()
        self.process.wait()


def clean_environment() -> dict[str, str]:
    """Return this process's variables without settings of Flexion's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLEXION_")}
    kept.pop("REDIS_URL", None)
    return kept


def free_port() -> str:
    """Return a loopback TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def demo(folder: Path, models: Mapping[str, str], *, seconds: float | None, beds: int = 1) -> Iterator[Running]:
    """Run a demonstration that prints its result."""
    length = () if seconds is None else ("--seconds", str(seconds))
    options = ("--beds", str(beds), "--port", free_port(), "--no-browser", "--json")
    with Running(folder, "demo", *length, *options, **models) as running:
        yield running


def kill(process: psutil.Process) -> None:
    """End a process as a crash does."""
    process.send_signal(signal.SIGKILL)


def await_that(condition: Callable[[], Any], what: str, look_s: float = LOOK_S) -> Any:
    """Wait until a condition holds, and return its value."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline_s, f"in vain: {what}"
        time.sleep(look_s)
    return value


def await_sample(url: str, session: str, sample: int) -> None:
    """Wait until a session's bridge says that it has reached a sample."""
    deadline_s = time.monotonic() + PATIENCE_S
    client = connect(url, "test", blocking=True)
    with client, client.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(keys.HEARTBEATS)
        while True:
            assert time.monotonic() < deadline_s, f"session {session} never reached sample {sample}"
            message = heard.get_message(timeout=0.2)
            if message is not None:
                beat = Beat.decode(message["data"])
                if beat.session == session and beat.info.get("next_sample", 0) >= sample:
                    return


def n_results(folder: Path) -> int:
    """Return how many results lie in a session's folder."""
    return len(SessionFolder.open(folder).results())


def n_waiting(url: str, session: str) -> int:
    """Return how many windows wait in Redis for a result; 0 while Redis is away."""
    try:
        with connect(url, "test") as client:
            return int(client.xlen(keys.windows(session)))
    except TransportDown:
        return 0


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):  # it ended while we looked
        return []


def all_gone(processes: list[psutil.Process]) -> bool:
    """Tell whether none of these processes lives: a zombie that its parent has not noticed yet is dead."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def _event(line: bytes) -> dict[str, Any]:
    """Return what a line of the log says; a sentence for people counts as an event of its own."""
    text = line.decode(errors="replace").strip()
    try:
        said = json.loads(text)
    except ValueError:
        return {"event": text}
    return said if isinstance(said, dict) and "event" in said else {"event": text}
