"""Runs: what training was asked, was made with, and has come to, in one folder.

- :mod:`.config`, :mod:`.image_config`, :mod:`.fusion_config`: every setting of a run of EEG and EMG, of fMRI, or of
  fusions, from one TOML file; :mod:`.sections` is what they share
- :mod:`.run_folder`: the folder; one writer (:mod:`training.file_lock`), and who made it with what (:mod:`.versions`)
- :mod:`.epoch_table`: ``metrics.csv``, a row for each epoch
- :mod:`.predictions`: ``predictions.csv``, what each model said of patients that it never saw
"""
