"""Backbones: the five image networks of the paper, by name, one logit each. In the order of a network's life:

- :mod:`.library`: timm and torchvision, imported here alone
- :mod:`.catalogue`: which five, of which library, with which published weights
- :mod:`.weights`: first weights from a file, checked by names, shapes and digest, or random
- :mod:`.backbone`: one of them, giving logit and last feature map
- :mod:`.kept`: as it lies on disk once it is trained
- :mod:`.augmentation`: slices as they are shown while it learns
- :mod:`.readout`: what lies between feature map and logit, as arrays, so that the bedside needs no torch
- :mod:`.sanity`: Grad-CAM by automatic differentiation, and whether a map shows what was learned
"""
