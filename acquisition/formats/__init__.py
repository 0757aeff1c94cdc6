"""Recordings on disk, one module per format.

- ``xdf_header``: what an XDF file says about one stream
- ``xdf_writer``: the chunks of an XDF file as bytes
- ``xdf``: XDF files read back, broken ones too
- ``text``: tables of numbers, txt and csv
"""
