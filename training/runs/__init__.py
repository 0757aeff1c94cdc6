"""Runs: what training was asked, was made with, and has come to, in one folder.

- :mod:`.config`: every setting of a run, from one TOML file
- :mod:`.run_folder`: the folder; one writer (:mod:`training.file_lock`), and who made it with what (:mod:`.versions`)
- :mod:`.epoch_table`: ``metrics.csv``, a row for each epoch
- :mod:`.predictions`: ``predictions.csv``, what each model said of patients that it never saw
"""
