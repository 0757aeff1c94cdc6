"""Training: the models and what is known about them. The modules, in the order of the data.

- :mod:`.synthesis`: simulated patients, and their windows through the very chain that runs at the bedside
- :mod:`.splits`: which patient trains, stops, calibrates or tests; the patient is the unit (law 9)
- :mod:`.tokens`: log band power ten times a second, by a fixed bank
- :mod:`.lstm`: the network of ``lstm-bands``
- :mod:`.fit`: the training loop, stopped by patients that it does not train on
- :mod:`.export`: bank and network as one ONNX graph
- :mod:`.metrics`: figures and intervals over patients
- :mod:`.weighting`: calibration for each number of windows, with draws over patients
- :mod:`.report`: the card
- :mod:`.demo_bundle`: all of it, as a command: ``python -m training.demo_bundle``

The only package that imports torch. What it learns from simulated patients is stamped ``origin: synthetic``.
"""
