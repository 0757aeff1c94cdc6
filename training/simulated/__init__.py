"""Simulated cohorts: patients with a known outcome, as a folder like any other (law 9: always ``synthetic``).

- :mod:`.spec`: what is asked for
- :mod:`.sites`, :mod:`.roster`: hospitals with equipment of their own, and who was treated there
- :mod:`.eeg_file`: a patient's recording of EEG and EMG, as a live session writes one
- :mod:`.phantom`, :mod:`.lesion`, :mod:`.bold`: a head, what the stroke did to it, its scan; :mod:`.picture` shows it
- :mod:`.landing`: a file has its name when it is whole
- :mod:`.synth`: all of it: ``flexion cohort synth``
"""
