"""Recordings on disk, one module per format.

- ``xdf_header``: what an XDF file says about one stream
- ``xdf_writer``: the chunks of an XDF file as bytes
- ``xdf``: XDF files read back, broken ones too
- ``xdf_samples``: the samples of one chunk
- ``text``: tables of numbers, txt and csv; ``text_header`` is what their first lines say, ``text_rows`` the rows
"""
