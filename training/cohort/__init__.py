"""A cohort: a folder of patients, their follow-ups and their recordings, as BIDS lays it out.

What is there, in the order of the data:

- :mod:`.participants`: the table of patients; which Fugl-Meyer score is the outcome
- :mod:`.places`: where a patient's recordings and scans lie, and what their sidecars say about them
- :mod:`.cohort`: table, folder and description as one value
- :mod:`.opening`: a patient's recording as the bedside's own chain takes it

Whether it is in order, found before an epoch is spent:

- :mod:`.audit`: everything that is wrong, patient by patient and between them, as :mod:`.findings`
- :mod:`.examining`: everything that is seen of one patient
- :mod:`.table_check`: follow-ups, scores, classes; :mod:`.inclusion`: whom the paper included
- :mod:`.signal_check`: units, length, holes, mains; on what :mod:`.seen` sees in one pass, :mod:`.mains` its line
- :mod:`.scan_check`: bytes, header and geometry of a functional scan

Where it comes from:

- :mod:`.adding`: a session of the ward becomes a recording of a cohort
- :mod:`.synth`: a simulated cohort: :mod:`.spec` is asked for, :mod:`.sites` and :mod:`.roster` draw who,
  :mod:`.eeg_file` and :mod:`.bold` write files; heads are :mod:`.phantom`, :mod:`.lesion` and :mod:`.picture`
- :mod:`.landing`: files that have their names only when they are whole

``errors`` is what a cohort is refused for.
"""
