"""Evaluation: what a run's out-of-fold logits are worth, for patients (law 9), in the order in which it is found.

- :mod:`.scores`: a model's logits of each patient, and the probabilities that calibration on other folds makes of them
- :mod:`.figures`: the figures of one model, by number of windows too, and of two models on the same patients
- :mod:`.groups`: the same by site, territory and time since onset; each site judged by models of the others
- :mod:`.points`: the extra heads, Fugl-Meyer points and the steps that they pass
- :mod:`.dealt_anew`: what networks of scans and fusions reach on outcomes that were dealt anew
- :mod:`.beside`: the paper's rows and ours
- :mod:`.listing`: every patient
- :mod:`.imaging`, :mod:`.fusing`: all of a run on scans, and of one of fusions
- :mod:`.attention`: where the networks of a run on scans looked
- :mod:`.evaluation`: all of it, as ``evaluation.json``
- :mod:`.document`: that file, read back
- :mod:`.acceptance`: what a run on simulated patients of known effect must show
"""
