"""Inference: from a window to the number on the screen. The modules, in the order of the data.

- :mod:`.errors`: every refusal of this package
- :mod:`.manifest`, :mod:`.image_spec`, :mod:`.bundle`: what a model says of itself, and whether it may
  be trusted
- :mod:`.building`: write a bundle's folder; ``python -m inference.building`` rewrites the equal fusion that ships
- :mod:`.normalisation`: the z-score, last step before an engine and the same in training
- :mod:`.engines`: the backends that run a model
- :mod:`.scoring`: windows to results, pure; the scorer and ``flexion score`` share it
- :mod:`.stages`: how long each step of that takes
- :mod:`.batching`, :mod:`.scorer`: the process that takes windows from Redis and commits their results
- :mod:`.proving`: the batches of a self-check, tried while the engine serves
- :mod:`.canary`: a golden window once a minute, for the same bits from an engine that serves
- :mod:`.standby`: a warm scorer that takes none while the one with the GPU is heard
- :mod:`.aggregation`, :mod:`.reasons`: results to the session's logit, quality-weighted, in index order
- :mod:`.calibration`: that logit to a probability, by the number of windows behind it
- :mod:`.fmri`: a scan, from its file to its score in the patient's folder, before the session
- :mod:`.fmri_event`: the fMRI score that came before the session, accepted or refused
- :mod:`.fugl_meyer`: the points at 3 months that some models expect beside it
- :mod:`.fusion`: two modalities to one number with its interval
- :mod:`.outcome`: the state first, the number second
- :mod:`.library`, :mod:`.following`, :mod:`.aggregator`: the process that turns results into ``outcome`` events
- :mod:`.beacon`, :mod:`.patience`: the 1 Hz heartbeat of both processes, and their life without Redis

Neither process imports scipy; a scorer imports torch where an engine of its list needs it, and not otherwise.
"""
