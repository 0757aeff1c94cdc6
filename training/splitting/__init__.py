"""Splits: which patient trains, stops or tests. The patient is the unit (law 9).

- :mod:`.splits`: the folds of a cohort, written once and read by every model
- :mod:`.dealing`: how patients are dealt to them, by outcome and modality
- :mod:`.split_check`: what a file of splits may not say
- :mod:`.leakage`: what a split by windows would pretend
"""
