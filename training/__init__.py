"""Training: the models and what is known about them. The modules, in the order of the data.

- :mod:`.config`: every setting of a run, from one TOML file
- :mod:`.splits`: which patient trains, stops or tests, dealt once per cohort by :mod:`.dealing`; the patient is the
  unit (law 9), :mod:`.split_check` sees to it, and :mod:`.leakage` shows why
- :mod:`.run_folder`: what a run was asked, made with (:mod:`.versions`) and has come to: its epochs
  (:mod:`.epoch_table`), the logits of its models (:mod:`.predictions`); one writer (:mod:`.file_lock`)
- :mod:`.tokens`: log band power ten times a second, by a fixed bank
- :mod:`.networks`: stacked LSTMs over band tokens (``lstm-bands``) or samples (``lstm-raw``), :mod:`.heads` beside
  the logit
- :mod:`.fit`: the training loop, stopped by patients that it does not train on (:mod:`.admission` sees to it): on
  :mod:`.batches` it makes the :mod:`.objective` small, with :mod:`.augmentation`, by :mod:`.arithmetic` that repeats;
  its :mod:`.epochs` are told, :mod:`.checkpoints` let it go on, :mod:`.judging` says what it makes of patients
- :mod:`.trainer`: a whole run: each :mod:`.fold` in the :mod:`.pool`, which watches :mod:`.memory`, each process ending
  with its :mod:`.parent`; :mod:`.rehearsal` is the dry run
- :mod:`.weighting`: calibration for each number of windows, with draws over patients
- :mod:`.baselines`: what a network must beat, :mod:`.band_power` among it; :mod:`.permuted` outcomes as the control
- :mod:`.metrics`, :mod:`.auc`, :mod:`.decision_curve`: figures and intervals over patients; :mod:`.logistic`: many
  small regressions at once
- :mod:`.evaluation`: all figures of a run, as ``evaluation.json``
- :mod:`.export`: a network as one ONNX graph; it leaves if :mod:`.gate` and :mod:`.parity` let it (both ask
  :mod:`.exact`)
- :mod:`.bundling`: the bundle of a run, with :mod:`.points`, :mod:`.card` and :mod:`.digest`
- :mod:`.release`: the bundles that ship, from nothing: ``flexion models build``

The only package that imports torch. What it learns from simulated patients is stamped ``origin: synthetic``.
"""
