"""What the dashboard is told at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DashboardSettings:
    """Settings of one dashboard.

    Parameters
    ----------
    redis_url : str
        The Redis that everybody shares.
    data_dir : Path
        Where the session folders lie.
    host : str
        A loopback address; any other is refused.
    port : int
        TCP port; 0 for any that is free.
    bundles : tuple of str
        Names or folders of the bundles that recorded sessions may be bound to, beside those that ship.
    """

    redis_url: str
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8610
    bundles: tuple[str, ...] = ()
