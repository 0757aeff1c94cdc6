"""Training: the models and what is known about them. The modules, in the order of the data.

- :mod:`.synthesis`: simulated patients, and their windows through the very chain that runs at the bedside
- :mod:`.config`: every setting of a run, from one TOML file
- :mod:`.splits`: which patient trains, stops or tests, dealt once per cohort by :mod:`.dealing`; the patient is the
  unit (law 9), :mod:`.split_check` sees to it, and :mod:`.leakage` shows why
- :mod:`.run_folder`: what a run was asked, made with (:mod:`.versions`) and has come to: its epochs
  (:mod:`.epoch_table`), the logits of its models (:mod:`.predictions`); one writer (:mod:`.file_lock`)
- :mod:`.tokens`: log band power ten times a second, by a fixed bank
- :mod:`.networks`: stacked LSTMs over band tokens (``lstm-bands``) or samples (``lstm-raw``), :mod:`.heads` beside
  the logit
- :mod:`.fit`: the training loop, stopped by patients that it does not train on
- :mod:`.export`: bank and network as one ONNX graph
- :mod:`.metrics`: figures and intervals over patients
- :mod:`.weighting`: calibration for each number of windows, with draws over patients
- :mod:`.report`: the card
- :mod:`.demo_bundle`: all of it, as a command: ``python -m training.demo_bundle``

The only package that imports torch. What it learns from simulated patients is stamped ``origin: synthetic``.
"""
