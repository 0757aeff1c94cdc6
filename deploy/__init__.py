"""Where Flexion is put together and run: settings, the command line, roles, the supervisor.

In the order of a run:

- ``exits``       the exit codes, in one place
- ``errors``      this package's branch of the tree of errors
- ``settings``    one frozen tree from ``flexion.toml`` and ``FLEXION_*``; unknown keys are refused
- ``logs``        structlog, set up once per process
- ``cli``         one verb per file: options, one call, one output
- ``redis_choice`` which Redis runs: one that was named, or a private one
- ``network``     what the streams of the network are, what fits, and which two fit together
- ``opening``     a session's beginning: its folder, its place in the registry, the command of its bridge
- ``reading``     what is said about files is not said about a session's folder
- ``surveying``   what the files of a folder are, without scoring them
- ``supervisor``  children that must answer, not only exist
- ``priority``    what serves a bed goes before other work, where that is allowed
- ``desk``        the commands that are for the supervisor: start, streams, cues, corrections
- ``occupancy``   which streams open sessions have, so that none is recorded twice
- ``cueing``      the page of a bed runs the cues
- ``ward``        a whole run: Redis, roles, sessions, control, until the last session has ended
- ``live_source`` the streams of a session, opened to go on where its folder ends
- ``roles``       what each child process is: settings -> parts -> run
- ``scoring``     a recording scored in this process: no network, no server
- ``summary``     the result object from a session folder
- ``doctor``      checks as a list of functions: name, finding, remedy
"""
