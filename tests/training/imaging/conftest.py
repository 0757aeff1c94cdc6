"""A small cohort with scans."""

from __future__ import annotations

from tests.training.scans import scanned_cohort  # noqa: F401 (a fixture)
