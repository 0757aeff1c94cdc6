"""MNE doing our job: reading, causal filtering with the very same sections, windows of 10 s after the first 4 s.

What it does not do: hold bad samples, judge quality, suppress artifacts, account for every sample, take samples as they
come. Its arrays are in volts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acquisition.chain import ChainSpec
from acquisition.conditioning import design
from deploy.bench.machine import installed
from deploy.bench.recorded import MAINS_HZ
from deploy.bench.rounds import Job

if TYPE_CHECKING:
    from acquisition.montage import Montage

#: Microvolts in a volt.
UV = 1e6
#: What the peers are called: MNE from memory, and from a file in two ways.
MNE, BY_XDF, BY_FIF = "MNE", "pyxdf and MNE", "MNE from FIF"
#: Jobs of the peers by what they do; None for those that are not installed.
Jobs = Mapping[str, Mapping[str, Job | None]]
NOT_INSTALLED: Jobs = {
    "reading": {BY_XDF: None, BY_FIF: None},
    "filter": {MNE: None},
    "windows": {MNE: None},
    "whole": {BY_XDF: None, BY_FIF: None},
}


class MnePeer:
    """MNE at work on one montage.

    Parameters
    ----------
    montage : Montage
        Names and kinds of the channels.
    """

    def __init__(self, montage: Montage) -> None:
        import mne

        mne.set_log_level("ERROR")
        self._mne = mne
        self._spec = ChainSpec()
        self._rate_hz = montage.rate_hz
        self._info = mne.create_info(list(montage.labels), montage.rate_hz, list(montage.kinds))
        filters = self._spec.conditioning.eeg
        self._sos = design(montage.rate_hz, MAINS_HZ, filters)
        self._band_hz = (filters.low_hz, filters.high_hz)

    def jobs(self, xdf: Path, x_uv: NDArray[np.float64]) -> Jobs:
        """Return what is timed.

        Parameters
        ----------
        xdf : Path
            The recording; MNE's own file is written beside it.
        x_uv : ndarray, shape (n_samples, n_channels)
            Its signal in µV.
        """
        raw, fif = self.raw(x_uv), xdf.with_name(f"{xdf.stem}_raw.fif")
        raw.save(fif, overwrite=True)
        reading = {BY_XDF: Job(lambda _: self.read_xdf(xdf)), BY_FIF: Job(lambda _: self.read_fif(fif))}
        whole = {
            BY_XDF: Job(lambda _: self.windows(self.filtered(self.read_xdf(xdf)))),
            BY_FIF: Job(lambda _: self.windows(self.filtered(self.read_fif(fif)))),
        }
        with_pyxdf = {BY_XDF: installed("pyxdf"), BY_FIF: True}
        return {
            "reading": {name: job if with_pyxdf[name] else None for name, job in reading.items()},
            "filter": {MNE: Job(self.filtered, raw.copy)},
            "windows": {MNE: Job(lambda copy: self.windows(self.filtered(copy)), raw.copy)},
            "whole": {name: job if with_pyxdf[name] else None for name, job in whole.items()},
        }

    def read_xdf(self, path: Path) -> Any:
        """Read an XDF file as MNE's users do, by pyxdf, without anything done to its stamps."""
        import pyxdf

        streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
        signal = next(stream for stream in streams if float(stream["info"]["nominal_srate"][0]) > 0)
        return self.raw(signal["time_series"])

    def raw(self, x_uv: NDArray[Any]) -> Any:
        """Return samples in µV, shape (n_samples, n_channels), as MNE's own object, each channel in one piece."""
        return self._mne.io.RawArray(np.ascontiguousarray(np.asarray(x_uv, np.float64).T) / UV, self._info)

    def read_fif(self, path: Path) -> Any:
        """Read MNE's own format."""
        return self._mne.io.read_raw_fif(path, preload=True)

    def filtered(self, raw: Any) -> Any:
        """Filter in place: forward only, with the sections of our conditioning."""
        sections = {"sos": self._sos, "output": "sos"}
        return raw.filter(*self._band_hz, picks="all", method="iir", phase="forward", iir_params=sections)

    def windows(self, raw: Any) -> Any:
        """Cut windows, shape (n_windows, n_channels, n_samples)."""
        window = self._spec.window
        settled = raw.crop(window.settling / self._rate_hz)  # in place
        epochs = self._mne.make_fixed_length_epochs(settled, window.n_samples / self._rate_hz, preload=True)
        return epochs.get_data(copy=False)
