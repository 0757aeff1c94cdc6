"""A cohort: a folder of patients, their follow-ups and their recordings, as BIDS lays it out.

In the order of the data:

- :mod:`.errors`: what a cohort is refused for
- :mod:`.participants`: the table of patients; which Fugl-Meyer score is the outcome
- :mod:`.places`: where a patient's recordings and scans lie, and what their sidecars say about them
- :mod:`.cohort`: table, folder and description as one value
- :mod:`.audit`: everything that is wrong with a cohort, found before an epoch is spent
- :mod:`.adding`: a session of the ward becomes a recording of a cohort
"""
