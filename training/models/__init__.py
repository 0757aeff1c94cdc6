"""Models: the networks of EEG and EMG.

- :mod:`.networks`: stacked LSTMs over band tokens (``lstm-bands``) or samples (``lstm-raw``)
- :mod:`.heads`: what is read from the embedding beside the logit
"""
