"""Statistics: figures over patients, each with its interval. A patient counts once (law 9).

- :mod:`.metrics`, :mod:`.auc`, :mod:`.decision_curve`: how well outcomes were told
- :mod:`.logistic`: many small regressions at once
- :mod:`.weighting`: calibration for each number of windows, with draws over patients
- :mod:`.points`: the Fugl-Meyer points of a session, and the interval around them
"""
