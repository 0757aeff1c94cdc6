"""Benchmarks: how fast this machine does what, each figure beside what it was measured on.

A bench is a module of its own that names the jobs and the marks that they must meet, and shares the rest: ``rounds``
times jobs in turn, ``machine`` says where, ``report`` says it for people, as JSON and as Markdown.
"""
