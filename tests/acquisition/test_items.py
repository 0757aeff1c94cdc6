"""What a source hands over: samples of one stream or of two can be cut anywhere (law 1)."""

from __future__ import annotations

import numpy as np

from acquisition.items import PARTNER, Raw


def numbered(first, n, **changes):
    """Return samples that hold their number."""
    numbers = np.arange(first, first + n)
    return Raw(numbers[:, None].astype(np.float32), numbers / 1000.0, **changes)


def test_a_part_of_joined_samples_has_its_partners():
    """Rows, the columns beside them and the partner's own samples stay together."""
    partner = numbered(70, 10, stream=PARTNER)
    own = numbered(0, 10)
    raw = Raw(own.samples, own.stamps, joined=np.concatenate([own.samples, partner.samples], axis=1), partner=partner)
    part = raw.part(2, 5)
    assert len(part) == 3 and part.rows.tolist() == [[2, 72], [3, 73], [4, 74]]
    assert part.partner is not None and part.partner.stream == PARTNER
    assert part.partner.samples.tolist() == [[72], [73], [74]]
    alone = own.part(2, 5)
    assert alone.rows is alone.samples and alone.partner is None and alone.stream == 0
