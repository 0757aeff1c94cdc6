"""Everything that must hold of a session's folder, whatever was killed: what does not is named in a sentence.

Samples are compared with what the simulated patient sent, at the very place on the grid; parts are opened with pyxdf;
windows are made and scored again by ``flexion score`` from the folder alone.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyxdf

from acquisition.decisions import Decision
from acquisition.montage import Montage
from acquisition.paradigm import ParadigmPlan
from acquisition.session import SessionFolder
from acquisition.simulator import Patient, render
from acquisition.tape import Block, tape_of_folder
from deploy.cli.demo import RECOVERIES

from .running import FLEXION, clean_environment

#: Seconds for scoring a folder again; the machine may be busy with other work.
SCORING_S = 90.0


def complaints(path: Path, rescored: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the folder of a session that has ended; nothing, if it is as it must be.

    Parameters
    ----------
    path : Path
        Its folder.
    rescored : mapping
        What ``flexion score`` makes of it.
    """
    folder = SessionFolder.open(path)
    parts = (text for part in folder.part_numbers() for text in _of_part(folder, part))
    return [*of_outcome(path, rescored), *parts, *_of_losses(folder)]


def of_outcome(path: Path, rescored: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the windows and the ledger of a session that has ended, however it was recorded."""
    folder = SessionFolder.open(path)
    ended = folder.ledger()
    if ended is None or not ended["ended"]:
        return ["its end is not written down"]
    return [
        *_of_results(folder, ended["windows"]),
        *_of_ledger(ended["ledger"], rescored["ledger"]),
        *_of_scores(folder, rescored["scores"]),
    ]


def _of_results(folder: SessionFolder, windows: Mapping[str, int]) -> Iterator[str]:
    """Every window has exactly one result, and the states add up (law 5)."""
    indices = [line["index"] for line in folder.results()]
    for index in sorted({index for index in indices if indices.count(index) > 1}):
        yield f"window {index} has {indices.count(index)} results"
    for index in sorted(set(range(windows["made"])) ^ set(indices)):
        yield f"window {index} has no result, or was never made"
    states = [line["state"] for line in folder.results()]
    counted = {state: states.count(state) for state in ("scored", "not_scored", "dead_lettered")}
    if counted != {state: windows[state] for state in counted}:
        yield f"the states {counted} are not those of the ledger {windows}"
    if not windows["made"] == windows["published"] == sum(counted.values()):
        yield f"made, published and fates differ: {windows}, {counted}"


def _of_ledger(ledger: Mapping[str, Any], rescored: Mapping[str, Any]) -> Iterator[str]:
    """Every sample is accounted for, by the bridge as by who reads the folder (law 3)."""
    came = ledger["received"] + ledger["declared_lost"]
    went = ledger["in_windows"] + sum(ledger["discarded"].values()) + ledger["pending"]
    if came != went or not ledger["balanced"]:
        yield f"{came} samples came and {went} went: {ledger}"
    if dict(ledger) != dict(rescored):
        yield f"the folder gives another ledger: {rescored} instead of {ledger}"


def _of_scores(folder: SessionFolder, rescored: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The folder gives the very windows that were scored, so the same bits come out (laws 1 and 2)."""
    live = {line["index"]: line for line in folder.results()}
    again = {score["index"]: score for score in rescored}
    if live.keys() != again.keys():
        yield f"windows {sorted(live)} were scored, the folder gives {sorted(again)}"
    for index in sorted(live.keys() & again.keys()):
        for key in ("logit", "first_sample", "segment", "sqi", "weight", "state"):
            if live[index][key] != again[index][key]:
                yield f"window {index}: {key} was {live[index][key]!r}, the folder gives {again[index][key]!r}"


def _of_part(folder: SessionFolder, part: int) -> Iterator[str]:
    """Every part is a whole XDF file to other tools: rate, labels, units, samples, markers."""
    montage, ours = Montage.from_json(folder.info.montage), folder.part(part)
    streams, _ = pyxdf.load_xdf(folder.part_path(part), dejitter_timestamps=False, synchronize_clocks=False)
    named = {stream["info"]["type"][0]: stream for stream in streams}
    if sorted(named) != ["EEG", "Markers"]:
        yield f"part {part} has streams {sorted(named)}"
        return
    signal, markers = named["EEG"], named["Markers"]
    channels = signal["info"]["desc"][0]["channels"][0]["channel"]
    if float(signal["info"]["nominal_srate"][0]) != montage.rate_hz:
        yield f"part {part} has rate {signal['info']['nominal_srate']}"
    if tuple(channel["label"][0] for channel in channels) != montage.labels:
        yield f"part {part} has labels {channels}"
    if {channel["unit"][0] for channel in channels} != {"uV"}:
        yield f"part {part} has units {channels}"
    if not np.array_equal(np.reshape(signal["time_series"], ours.samples.shape), ours.samples):
        yield f"part {part} reads otherwise with pyxdf"
    if [text for (text,) in markers["time_series"]] != [marker.text for marker in ours.markers]:
        yield f"part {part} has other markers with pyxdf"


def _of_losses(folder: SessionFolder) -> Iterator[str]:
    """Between two parts exactly as many samples are declared lost as their stamps are apart (law 3)."""
    parts = {part: folder.part(part) for part in folder.part_numbers()}
    filled = [part for part in parts if len(parts[part].stamps)]
    for before, after in pairwise(filled):
        apart_s = float(parts[after].stamps[0] - parts[before].stamps[-1])
        missing = round(apart_s * folder.info.rate_hz) - 1
        declared = [d.data for d in folder.decisions() if d.kind == "lost" and d.part == after and d.at == 0]
        if missing and declared != [{"n": missing, "reason": "resume"}]:
            yield f"{missing} samples are missing before part {after}, declared: {declared}"


def unlike_sent(path: Path, bed: int, origins: Mapping[int, int] | None = None) -> list[str]:
    """Return where the folder of a demonstration's bed is not what its patient sent, sample for sample.

    Parameters
    ----------
    path : Path
        Its folder.
    bed : int
        Number of the bed: it makes the patient.
    origins : mapping of int to int, optional
        For parts before which the player began anew: the grid index of its first sample.
    """
    folder = SessionFolder.open(path)
    montage = Montage.from_json(folder.info.montage)
    patient = replace(Patient.draw(bed, mains_hz=folder.info.mains_hz), recovery=RECOVERIES[bed - 1])
    seconds = sum(block.x_uv.shape[0] for block in _blocks(folder)) / montage.rate_hz + 60.0
    sent = render(patient, ParadigmPlan(n_trials=None), seconds, montage).samples
    wrong = []
    for block, grid in _on_grid(folder):
        first = grid - (origins or {}).get(block.part, 0)
        if not np.array_equal(block.x_uv, sent[first : first + len(block.x_uv)].astype(np.float64)):
            wrong.append(f"part {block.part} from {block.at} on is not what was sent from {first} on")
    return wrong


def _blocks(folder: SessionFolder) -> Iterator[Block]:
    return (item for item in tape_of_folder(folder) if isinstance(item, Block))


def _on_grid(folder: SessionFolder) -> Iterator[tuple[Block, int]]:
    """Yield the samples of a folder with their place on the session's grid."""
    grid = 0
    for item in tape_of_folder(folder):
        if isinstance(item, Decision):
            grid += int(item.data["n"]) if item.kind in ("lost", "bridged") else 0
        else:
            yield item, grid
            grid += len(item.x_uv)


def score_again(models: Mapping[str, str], *folders: Path) -> list[dict[str, Any]]:
    """Return what ``flexion score`` makes of session folders, in a process of its own."""
    command = [FLEXION, "score", *map(str, folders), "--json"]
    environment = {**clean_environment(), **models}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SCORING_S, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    results: list[dict[str, Any]] = result.get("sessions", [result])
    return results


def decided(path: Path, kind: str) -> Sequence[Decision]:
    """Return the decisions of one kind that are in force in a session's folder."""
    return [decision for decision in SessionFolder.open(path).decisions() if decision.kind == kind]
