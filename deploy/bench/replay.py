"""``flexion bench replay``: how fast a recording is read, conditioned, cut and scored, and MNE beside it.

Everything but the whole commands runs in this process, on one core; the peers do their job in the same rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from acquisition import reading
from acquisition.artifact import ArtifactStage
from acquisition.chain import Chain, ChainSpec, drive
from acquisition.conditioning import Filter, Repair
from acquisition.decisions import Decision
from acquisition.montage import Binding, Montage
from acquisition.quality import CellJudge
from acquisition.recording import Recording, read_recording
from acquisition.tape import CHUNK, Block, decide, tape_of
from acquisition.windowing import Windower
from deploy.bench import mne_peer
from deploy.bench.commands import Ran, ran
from deploy.bench.machine import installed, one_core, this_machine
from deploy.bench.mne_peer import MNE, UV, MnePeer
from deploy.bench.profile import Profile, profiled
from deploy.bench.recorded import CHUNK as LIVE_CHUNK
from deploy.bench.recorded import MAINS_HZ, MONTAGE, record
from deploy.bench.report import Line, Report, Task, measure
from deploy.bench.rounds import Job, Timing
from deploy.opening import Models
from deploy.scoring import score_file
from deploy.settings import Settings
from inference.engines.choice import open_engine
from inference.scoring import score

#: How many times faster than real time: conditioning and windowing, and scoring as a whole.
MARK_WINDOWS, MARK_SCORE = 200.0, 100.0
#: Whole commands are timed this often at most: a replay starts five processes.
COMMAND_ROUNDS = 3
#: Seconds before the end over which our filter and MNE's are compared: how each began is forgotten by then.
COMPARED_S = 10.0
#: Whose versions belong to the record.
LIBRARIES = ("flexion", "numpy", "scipy", "onnxruntime", "redis", "mne", "pyxdf")
#: Stages of the path, for the profile; none calls another.
STAGES = cast(
    Mapping[str, FunctionType],
    {
        "reading": read_recording,
        "decisions on its stamps": reading.decided,
        "to µV": Binding.to_uv,
        "bad samples held": Repair.push,
        "filter": Filter.push,
        "quality": CellJudge.judge,
        "artifact stage": ArtifactStage.push,
        "windows": Windower.push,
        "model": score,
    },
)


class ReplayBench:
    """The bench on one recording; ``close`` lets go of the model.

    Parameters
    ----------
    folder : Path
        Where the recording is written; empty.
    settings : Settings
        The bundle and the engines to score with; its montage and mains must be the recording's.
    seconds : float
        Length of the recording.
    """

    def __init__(self, folder: Path, settings: Settings, seconds: float) -> None:
        self._machine = this_machine(LIBRARIES)  # before this loads it
        self._data = folder / "data"
        self._settings = settings
        self._models = Models.load(settings.models)
        self._engine = open_engine(self._models.eeg_emg, settings.models.engines)
        self._recorded = record(folder, seconds)
        self._montage = self._recorded.montage
        self._recording, self._binding = self._open()
        self._decisions = decide(self._recording, self._montage, self._binding)
        self._x_uv = self._binding.to_uv(self._recording.samples)

    def close(self) -> None:
        """Let go of the model."""
        self._engine.close()

    def run(self, rounds: int, tell: Callable[[str], None]) -> Report:
        """Measure everything.

        Parameters
        ----------
        rounds : int
            1 or more.
        tell : callable
            Hears what is being done.
        """
        about = f"{self._recorded.words}. Each job {rounds} times in turn, on one core; the commands on all."
        tell(f"{self._machine.words}. {about}")
        with one_core():
            peers, apart_uv = self._peers()
            lines = measure(self._tasks(peers), rounds, self._recorded.seconds)
        tell("Now the whole commands.")
        lines += self._commands(min(rounds, COMMAND_ROUNDS))
        notes = (about,) if apart_uv is None else (about, f"{MNE}'s filter and ours end {apart_uv:.0e} µV apart.")
        facts = {"recording": self._recorded.words, "rounds": rounds, "filters_apart_uv": apart_uv}
        return Report("replay", self._recorded.subject, self._machine, tuple(lines), notes, facts)

    def profile(self) -> Profile:
        """Return where scoring spends its time; the first call does not count."""
        with one_core():
            self._score()
            self._forget()
            return profiled(self._score, STAGES)

    # -- what is measured ------------------------------------------------------------------------

    def _tasks(self, peers: mne_peer.Jobs) -> list[Task]:
        live = f"the same in pushes of {LIVE_CHUNK}, as samples come live"
        model = f"scoring with {self._models.eeg_emg.name}, from the file"
        return [
            Task("reading", Job(self._read), peers=peers["reading"]),
            Task("the filter alone", Job(lambda _: filtered(self._x_uv, self._montage)), peers=peers["filter"]),
            Task("conditioning and windowing", Job(lambda _: self._cut(CHUNK)), MARK_WINDOWS, peers["windows"]),
            Task(live, Job(lambda _: self._cut(LIVE_CHUNK))),
            Task("from the file to windows", Job(self._whole), peers=peers["whole"]),
            Task(model, Job(self._score, self._forget), MARK_SCORE),
        ]

    def _peers(self) -> tuple[mne_peer.Jobs, float | None]:
        """Return the peers' jobs, and by how many µV at most MNE's filter and ours differ at the end."""
        if not installed("mne"):
            return mne_peer.NOT_INSTALLED, None
        peer = MnePeer(self._montage)
        last = round(COMPARED_S * self._montage.rate_hz)
        theirs_uv = peer.filtered(peer.raw(self._x_uv)).get_data()[:, -last:].T * UV
        apart_uv = float(np.abs(filtered(self._x_uv, self._montage)[-last:] - theirs_uv).max())
        return peer.jobs(self._recorded.path, self._x_uv), apart_uv

    def _open(self) -> tuple[Recording, Binding]:
        return reading.AS_IT_IS.open(self._recorded.path, self._montage, None)

    def _read(self, _: None) -> NDArray[np.float64]:
        recording, binding = self._open()
        return binding.to_uv(recording.samples)

    def _cut(self, chunk: int) -> int:
        return windows(tape_of(self._recording, self._binding, self._decisions, chunk), self._montage)

    def _whole(self, _: None) -> int:
        recording, binding = self._open()
        return windows(tape_of(recording, binding, decide(recording, self._montage, binding)), self._montage)

    def _score(self, _: None = None) -> dict[str, Any]:
        path, settings = self._recorded.path, self._settings
        return score_file(path, settings, self._models, self._engine, tell=_unheard)

    def _forget(self) -> None:
        """Take the decisions beside the recording away, so that they are taken anew."""
        self._recorded.path.with_name(f"{self._recorded.path.name}.decisions.jsonl").unlink(missing_ok=True)

    def _commands(self, rounds: int) -> list[Line]:
        """Time the whole commands in turn."""
        where = ("--json", "--data", str(self._data), "--bundle", self._settings.models.eeg_emg)
        common = (*where, "--montage", MONTAGE, "--mains", f"{MAINS_HZ:g}")
        path = str(self._recorded.path)
        scored, replayed = [], []
        for _ in range(rounds):
            self._forget()
            scored.append(ran(("score", path, *common)))
            self._forget()
            replayed.append(ran(("replay", path, "--speed", "max", *common)))
        seconds = self._recorded.seconds
        bridged = Timing(tuple(run.signal_s for run in replayed if run.signal_s is not None))
        return [
            _line("`flexion score`, the whole command", seconds, scored, _timing(scored)),
            _line("`flexion replay --speed max`, first sample to last result", seconds, replayed, bridged, MARK_SCORE),
            _line("`flexion replay --speed max`, the whole command", seconds, replayed, _timing(replayed)),
        ]


def filtered(x_uv: NDArray[np.float64], montage: Montage) -> NDArray[np.float64]:
    """Return what the conditioning's first half makes of a signal: bad samples held, then filtered."""
    spec = ChainSpec().conditioning
    repair, filters = Repair(montage.n_channels, spec, montage.full_scale_uv), Filter(montage, MAINS_HZ, spec)
    pieces = (x_uv[at : at + CHUNK] for at in range(0, len(x_uv), CHUNK))
    return np.concatenate([filters.push(repair.push(piece)) for piece in pieces])


def windows(tape: Iterable[Decision | Block], montage: Montage) -> int:
    """Condition and cut a recording; return the number of windows."""
    return sum(len(step.windows) for step in drive(Chain(montage, MAINS_HZ), tape))


def _line(what: str, seconds: float, runs: Sequence[Ran], timing: Timing, mark: float | None = None) -> Line:
    failure = next((run.failure for run in runs if run.failure), "")
    return Line(what, seconds, None if failure else timing, mark, why_not=failure)


def _timing(runs: Sequence[Ran]) -> Timing:
    return Timing(tuple(run.wall_s for run in runs), tuple(run.cpu_s for run in runs))


def _unheard(words: str) -> None:
    """Nobody needs to hear what the file left open."""
