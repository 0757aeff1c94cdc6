"""What a physiatrist asks for first: descriptive measures of a recorded session. Nothing of the score is made of them.

From a tape to trials
    ``conditioned``        the chain's filtered signal, in stretches without a hole
    ``trials``             the phases, grouped as the paradigm repeats them
    ``epochs``             the trials that a measure can read, and why it cannot read the others
    ``envelope``           how strongly a muscle fires

The measures
    ``desynchronisation``  how far mu and beta fall at C3 and C4, and on which side more
    ``onset``              how long after its cue a muscle begins to fire
    ``coherence``          how much of a muscle's beta follows the cortex's
    ``cocontraction``      how much both sides of the thigh work against each other

What comes of them
    ``intervals``          how far a figure could lie off
    ``measurement``        one figure with unit, interval, trials, and what was left out
    ``report``             all of them, of one session's folder
"""
