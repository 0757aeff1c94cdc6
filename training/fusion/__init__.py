"""Fusion: what two heads say of patients that they never saw becomes the weights with which the bedside fuses them.

- :mod:`.methods`: the weights, by three methods
- :mod:`.study`: what they are worth on simulated cohorts whose heads are known
- :mod:`.fitting`: both runs' logits, calibrated and fused for patients that had no say in either
- :mod:`.bundle`: the weights of all patients, with their draws, in a bundle
- :mod:`.trainer`: ``flexion train fusion``, all of it
"""
