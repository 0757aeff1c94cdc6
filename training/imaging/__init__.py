"""Imaging: networks learn from slices of resting-state fMRI, and the best of them is chosen without a look at the test.

- :mod:`.lesson`: how slices are shown and judged; the loop is that of every fit (:mod:`training.fitting`)
- :mod:`.judging`: what a network says of slices and patients
- :mod:`.fold`: one fold of one backbone; :mod:`.choice`: which backbone a fold takes
- :mod:`.trainer`: a whole run; :mod:`.rehearsal`: one batch of it
"""
