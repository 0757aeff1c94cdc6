"""Fitting: a network learns from some patients and is stopped by others.

- :mod:`.admission`: who may train, stop and test together
- :mod:`.fit`: the loop; :mod:`.lesson` is what it asks of whatever it learns from
- :mod:`.windows`: the lesson of EEG and EMG; :mod:`.objective` is what it makes small, with :mod:`.augmentation`
- :mod:`.first_step`: what one step is like, before all of them
- :mod:`.arithmetic`: on which device, and so that it repeats; :mod:`.memory`: what it takes
- :mod:`.judging`: what a network makes of patients
- :mod:`.epochs`, :mod:`.checkpoints`: how far it is, and how it goes on bit for bit
"""
