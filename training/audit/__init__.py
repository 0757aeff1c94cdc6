"""Audit: what is wrong with a cohort, found before an epoch is spent, and what to do about it (law 10).

- :mod:`.audit`: all of it, as one table: ``flexion cohort check``
- :mod:`.examining`: each patient's files, looked through once
- :mod:`.table_check`: what the table of patients says wrongly or twice
- :mod:`.signal_check`: channels, rate, length, unit and gaps of a recording; :mod:`.mains`: which mains it was made at
- :mod:`.scan_check`: whether the bedside would take a scan, to its last byte
- :mod:`.seen`: the same file under two patients
- :mod:`.inclusion`: who meets the paper's criteria
- :mod:`.findings`: one finding: where, what, and the remedy
"""
