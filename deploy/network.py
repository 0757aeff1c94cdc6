"""Network: what the streams that answer are, which montages each fits, and which two fit one together (law 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from acquisition.errors import StreamRefused
from acquisition.montage import Montage, built_in_montages, load_montage
from deploy.settings import SessionSettings

if TYPE_CHECKING:
    from acquisition.discovery import StreamInfo
    from acquisition.partners import Sources


def describe_network(streams: Sequence[StreamInfo], settings: SessionSettings) -> dict[str, Any]:
    """Return the streams of the network as plain values.

    Parameters
    ----------
    streams : sequence of StreamInfo
        With full descriptions.
    settings : SessionSettings
        Its montage is tried beside those that are built in; its unit goes for channels that state none.

    Returns
    -------
    dict
        ``streams``: each with the montages that it ``fits``, and where it fits none, in ``refused``, why not the
        settings' one. ``pairs``: for each montage that no single stream fits,
        every two that do together: ``montage``, ``signal``, ``partner`` and the ``channels`` that the partner gives.
    """
    montages = [load_montage(name) for name in sorted({*built_in_montages(), settings.montage})]
    described = [{**describe_stream(info), **_fitted(info, montages, settings)} for info in streams]
    alone = {name for stream in described for name in stream["fits"]}
    pairs = [
        {
            "montage": montage.name,
            "signal": identity_of(pair.signal),
            "partner": identity_of(partner),
            "channels": list(pair.channels),
        }
        for montage in montages
        if montage.name not in alone
        for pair in _pairs(streams, montage, settings.unit)
        if (partner := pair.partner) is not None
    ]
    return {"streams": described, "pairs": pairs}


def describe_stream(stream: StreamInfo) -> dict[str, Any]:
    """Return a stream of the network as plain values."""
    units = sorted({unit for unit in stream.units if unit})
    return {
        **identity_of(stream),
        "type": stream.type,
        "rate_hz": stream.rate_hz,
        "dtype": stream.dtype,
        "labels": list(stream.labels),
        "unit": ", ".join(units) or None,
        "origin": stream.origin,
    }


def identity_of(stream: StreamInfo) -> dict[str, Any]:
    """Return what a session remembers of its stream."""
    return {key: getattr(stream, key) for key in ("name", "source_id", "hostname", "channel_count")}


def source_of(found: Sources) -> dict[str, Any]:
    """Return the ``source`` object of a session that takes its signal from these streams."""
    source = {"kind": "lsl", **identity_of(found.signal)}
    if found.partner is not None:
        source["partner"] = {**identity_of(found.partner), "channels": list(found.channels)}
    return source


def pair_words(source: Mapping[str, Any]) -> str:
    """Return which two streams a session takes its signal from, in a sentence; empty where it is one."""
    partner = source.get("partner")
    if partner is None:
        return ""
    first, second = (f"{one['name']!r} on {one['hostname']} ({one['source_id']})" for one in (source, partner))
    return f"Two streams together: {first}, whose samples count, and {second} for {', '.join(partner['channels'])}."


def _fitted(info: StreamInfo, montages: Sequence[Montage], settings: SessionSettings) -> dict[str, Any]:
    refused = {montage.name: _refusal(info, montage, settings.unit) for montage in montages}
    fits = [name for name, why in refused.items() if why is None]
    return {"fits": fits, "refused": None if fits else refused[load_montage(settings.montage).name]}


def _refusal(info: StreamInfo, montage: Montage, unit: str | None) -> str | None:
    from acquisition.discovery import fit

    try:
        fit(info, montage, unit)
    except StreamRefused as refusal:
        return refusal.message
    return None


def _pairs(streams: Sequence[StreamInfo], montage: Montage, unit: str | None) -> Iterator[Sources]:
    from acquisition.partners import couples_of, fit_pair

    for signal, partner in couples_of(streams, montage):
        try:
            yield fit_pair(signal, partner, montage, unit)
        except StreamRefused:
            continue
