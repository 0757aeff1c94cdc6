"""Training: the models and what is known about them. The packages, in the order of the data.

- :mod:`.cohort`: a folder of patients, as it lies there; :mod:`.simulated` makes one
- :mod:`.audit`: what is wrong with it
- :mod:`.data`: windows and band tokens, made by the bedside's own chain
- :mod:`.splitting`: which patient trains, stops or tests
- :mod:`.runs`: what was asked, made with and has come of it; :mod:`.file_lock`: one process at a time writes;
  :mod:`.moved`: where the cohort lies now
- :mod:`.models`, :mod:`.backbones`: networks of signals, and of images; :mod:`.fitting`: how either learns
- :mod:`.trainer`: a whole run: each :mod:`.fold` in the :mod:`.pool`, each process ending with its :mod:`.parent`;
  :mod:`.rehearsal` is the dry run; :mod:`.watching`: nobody, where no progress is shown
- :mod:`.imaging`: the same on scans; :mod:`.stages` are those of both; :mod:`.fusion`: the weights of the two
- :mod:`.baselines`: what a network must beat, :mod:`.band_power` among it; :mod:`.permuted` outcomes as the control
- :mod:`.statistics`: figures over patients, and calibration
- :mod:`.evaluation`: all figures of a run, as ``evaluation.json``; :mod:`.reporting`: as one page
- :mod:`.bundles`: through the gates to the bedside

The only package that imports torch. What it learns from simulated patients is stamped ``origin: synthetic``.
"""
