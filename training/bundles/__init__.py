"""Bundles: a trained network on its way to the bedside.

- :mod:`.gate`: a network whose logit moves on nothing is refused
- :mod:`.export`: bank and network as one ONNX graph; :mod:`.parity` holds it to the :mod:`.exact` network
- :mod:`.placing`: a bundle takes its folder when it is whole
- :mod:`.bundling`: the bundle of a run, with its :mod:`.card` and :mod:`.digest`
- :mod:`.slice_bundling`: the same for a run on scans: :mod:`.slice_export`, :mod:`.slice_parity`, :mod:`.slice_card`,
  :mod:`.expected`
- :mod:`.release`: the bundles that ship, from nothing: ``flexion models build``
"""
