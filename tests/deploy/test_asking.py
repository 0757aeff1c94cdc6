"""Asking a Flexion that runs: what it answers, what it refuses, and when nobody is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.cli import models as module
from deploy.cli.asking import Refused, ask
from deploy.desk import answered
from deploy.ear import Ear
from deploy.errors import WrongUse
from deploy.settings import load
from streaming.connection import connect
from streaming.control import Command
from streaming.errors import NoAnswer


@contextmanager
def answering(
    url: str, act: Callable[[Ear, Command], None], answers: Sequence[str] = answered(swaps=True)
) -> Iterator[list[Command]]:
    """Hear one command as a supervisor does, and answer it."""
    heard: list[Command] = []
    over = threading.Event()
    ear = Ear(connect(url, "supervisor"), time.monotonic, answers)

    def listen() -> None:
        while not heard and not over.wait(0.02):
            heard.extend(ear.listen().commands)
        for command in heard:
            act(ear, command)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield heard
    over.set()
    thread.join(10.0)
    ear.close()


SERVED = {
    "eeg_emg": {"name": "tiny", "version": "2.0.0", "sha256": "a" * 64},
    "fusion": {"name": "fusion-stack", "version": "1"},
    "fused": False,
}


def test_a_bundle_is_served_by_whoever_runs(
    redis_url: str,
    bundle_variables: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its folders travel as paths that mean the same to another process; the answer is one line, or the object."""
    folder = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    with answering(redis_url, lambda ear, command: ear.answer(command, SERVED)) as heard:
        module.serve(folder, redis=redis_url, as_json=True)
    assert heard[0].name == "serve" and heard[0].args == {"eeg_emg": str(Path(folder).resolve()), "fusion": None}
    said = capsys.readouterr()
    assert "New sessions are scored by tiny 2.0.0 (aaaaaaaaaaaa)." in said.err and '"served"' in said.out
    assert "fusion-stack 1 was not fitted on it: sessions are PARTIAL until --fusion names" in said.err


@pytest.mark.parametrize(("kind", "code"), [("bundle", 3), ("not_served", 4), ("usage", 2)])
def test_a_refusal_comes_back_as_it_was_said(redis_url: str, kind: str, code: int) -> None:
    """Kind, words and remedy, and the exit code that goes with the kind."""
    refusal = {"kind": kind, "subject": "tiny", "message": "It did not begin.", "remedy": "Look."}
    supervisor = answering(redis_url, lambda ear, command: ear.refuse(command, refusal))
    with supervisor, pytest.raises(Refused, match="It did not begin. Look.") as caught:
        ask(load({"redis_url": redis_url}), "serve", {}, 10.0)
    assert caught.value.as_refusal() == refusal and caught.value.exit_code == code


def test_where_nobody_runs_is_said(tmp_path: Path) -> None:
    """No Redis is named, and none is private to the folder."""
    with pytest.raises(WrongUse, match=r"No flexion live runs on .*, and no Redis is named\. .*path is too long"):
        ask(load({"data_dir": tmp_path}, {}), "serve", {}, 0.1)


def test_nobody_is_waited_for_who_is_not_heard(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay and its scorers on that Redis answer no such command: five heartbeats tell it, and nothing is sent."""
    monkeypatch.setattr("deploy.cli.asking.LIFE_S", 1.5)
    settings = load({"redis_url": redis_url})
    with pytest.raises(
        NoAnswer, match=r"No flexion live that answers 'serve' runs on unix://.*\.sock: none was heard for"
    ):
        ask(settings, "serve", {}, 500.0)
    with (
        answering(redis_url, lambda ear, command: None, answered(swaps=False)) as heard,
        pytest.raises(NoAnswer, match=r"; there is only supervisor\. Begin flexion live there, or name the Redis of"),
    ):
        ask(settings, "serve", {}, 500.0)
    assert heard == []


def test_whoever_is_heard_and_does_not_answer_is_waited_for(redis_url: str) -> None:
    """No longer than is said."""
    with answering(redis_url, lambda ear, command: None), pytest.raises(NoAnswer, match="Nobody answered 'serve'"):
        ask(load({"redis_url": redis_url}), "serve", {}, 0.1)


def test_a_private_redis_is_found_by_the_folder(redis_url: str, tmp_path: Path) -> None:
    """Nobody has to know its socket; the ward keeps it in the data folder."""
    (tmp_path / "redis").symlink_to(Path(redis_url.removeprefix("unix://")).parent)
    with answering(redis_url, lambda ear, command: ear.answer(command, {"did": "it"})):
        assert ask(load({"data_dir": tmp_path}, {}), "serve", {}, 10.0) == {"did": "it"}
