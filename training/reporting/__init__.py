"""The report of a run: one HTML file that needs nothing beside it. The modules, in the order of the data.

- :mod:`.facts`: an evaluation and its learning curves, as the pages ask for them
- :mod:`.words`: how a figure, an interval and a missing value read
- :mod:`.verdict`: what the report says first: whether the network beats the baselines
- :mod:`.learning`: learning curves out of ``metrics.csv``
- :mod:`.drawing`: a figure as SVG that stands in a page
- :mod:`.figures`: ROC, reliability, net benefit, figures by number of windows, permuted labels, learning curves
- :mod:`.tables`: the same as tables
- :mod:`.patients`: a report for each patient
- :mod:`.tripod`: the TRIPOD+AI checklist, filled in
- :mod:`.sections`: the sections in their order; a new one joins there
- :mod:`.page`: all of it as ``report.html`` and ``figures/*.svg``

The patient is the unit of every figure; what has another unit says so and lies folded up (law 9).
"""
