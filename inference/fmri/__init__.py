"""A patient's resting-state scan, from the NIfTI file to the patient's score. The modules, in the order of the data.

- :mod:`.unpacking`: the bytes of a file, packed or not, so many at a time
- :mod:`.remedies`: what to do about a file that is refused
- :mod:`.sidecar`: what the JSON file beside it says
- :mod:`.header`, :mod:`.orienting`: what a NIfTI header says, believed, corrected aloud, or refused
- :mod:`.volume`: a scan and its volumes, one after the other, right, front and top up
- :mod:`.motion`: how far the head moved from volume to volume
- :mod:`.maps`: mean, temporal signal-to-noise, strength of slow fluctuations
- :mod:`.mask`: which voxels are brain
- :mod:`.slices`: which slices count, scaled and sized for the network
- :mod:`.parameters`: the scan's geometry beside the one that a bundle was trained on
- :mod:`.quality`: whether the scan may be used
- :mod:`.preparation`: all of it in one call, the same in training and at the bedside
- :mod:`.score`, :mod:`.gradcam`: the slices' logits and the patient's, and where the model looked
- :mod:`.document`, :mod:`.overlay`, :mod:`.record`: what is written of it, the pictures, the patient's folder
- :mod:`.stored`, :mod:`.shelf`: what is read back of that folder, and the score that a session takes from it

What scorer, aggregator and dashboard know of a scan lies beside this package, as they never load what reads one: its
score as an event (``inference.fmri_event``), what a bundle says of scans (``inference.image_spec``) and how two
modalities become one number (``inference.fusion``).

nibabel and scipy are imported inside the functions that read scans: nobody else needs them.
"""
