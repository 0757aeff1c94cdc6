"""One file per first word of the URL; each translates, none decides.

- ``ward``: ``/``, ``/docs``, ``/api/v1/ward``
- ``beds``: ``/beds/{bed}``, ``/api/v1/beds``, ``/api/v1/beds/{bed}``
- ``commands``: ``/api/v1/streams``, ``/api/v1/beds/{bed}/start|cue``, ``/api/v1/sessions/{id}/stop|mark|note``
- ``events``: ``/api/v1/beds/{bed}/events``
- ``wave``: ``/api/v1/beds/{bed}/wave``
- ``patients``: ``/patients``, ``/api/v1/patients``
- ``sessions``: ``/sessions/{id}``, ``/api/v1/sessions/{id}`` and its course, windows, signal, wave and measures
- ``health``: ``/healthz``, ``/readyz``, ``/metrics``, ``/api/v1/clock``
"""
