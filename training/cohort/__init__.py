"""A cohort: patients with a known outcome, as a folder of recordings, scans and one table (BIDS-like).

- :mod:`.participants`: the table: who they are, and how they did
- :mod:`.places`: where a patient's recordings and scans lie, and what is said about them
- :mod:`.inherited`: what a sidecar at the top says of a scan
- :mod:`.cohort`: the folder as one value
- :mod:`.opening`: a patient's recording on its way through the bedside's own chain
- :mod:`.adding`: the ward's own sessions become patients of a cohort
"""
