"""What each child process is: settings -> parts -> run. All end by SIGTERM and die with their supervisor.

- ``player``      offers a simulated patient or a recording as an amplifier would (demo and replay)
- ``bridge``      one session, from its source to Redis
- ``scorer``      windows to results
- ``aggregator``  results to outcomes
- ``dashboard``   the pages
"""
