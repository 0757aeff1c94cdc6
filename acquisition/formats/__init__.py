"""Recordings on disk, one module per format.

- ``xdf_header``: what an XDF file says about one stream
- ``xdf_writer``: the chunks of an XDF file as bytes
- ``xdf``: XDF files read back, broken ones too
- ``xdf_repair``: a sound copy of a damaged one
- ``xdf_samples``: the samples of one chunk
- ``xdf_signal``: which stream is the signal, and the markers beside it
- ``text``: tables of numbers, txt and csv; ``text_header`` is what their first lines say, ``text_rows`` the rows,
  ``text_lines`` how they are decoded and split
- ``raw_file``: what MNE reads, imported when such a file is opened: ``edf``, ``brainvision``, ``fif``;
  ``fif_writer`` is what it writes
"""
