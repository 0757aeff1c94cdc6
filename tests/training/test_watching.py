"""Whoever does not watch hears everything and does nothing."""

import copy
import pickle

from training.watching import NOBODY


def test_nobody_hears_whatever_is_told():
    """Any call of any protocol; also in another process, and as a part of what is copied."""
    for nobody in (NOBODY, pickle.loads(pickle.dumps(NOBODY)), copy.deepcopy(NOBODY)):
        assert nobody.stage("Audit", 3) is nobody.finished("001") is None
