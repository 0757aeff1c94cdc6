"""Data: what training sees of a patient, made by the bedside's own chain (law 1).

- :mod:`.windows`: a patient's windows, z-scored, with weights; :mod:`.window_cache` keeps them
- :mod:`.tokens`: log band power ten times a second, by a fixed bank
- :mod:`.slices`: a patient's slices of the scan
- :mod:`.batches`: windows or slices in the order in which a fit sees them
- :mod:`.cache`, :mod:`.jobs`: each patient's are made once and kept
"""
