"""The command line: one verb per file, options, one call, one output.

- ``main``        the tree of verbs, and what becomes of an error
- ``output``      results on stdout, words for people on stderr
- ``options``     the options that several verbs share
- ``demo`` ``live`` ``replay`` ``score`` ``recordings`` ``record`` ``cues`` ``streams`` ``sessions`` ``models``
  ``doctor`` ``config``: the verbs
- ``roles``       the processes that the supervisor starts; hidden
- ``reference``   docs/cli.md, from the verbs' own help

Every import that costs time is inside its verb: ``flexion --help`` answers at once.
"""
