"""The pages of the bedside and the ward: they show what the bridge, the scorers and the aggregator say, with its age.

Opens no inlet, starts no process, scores nothing: what a person asks for is done by others. In the order of the data:

- ``errors``: the branch of the error tree that grows here
- ``settings``: `DashboardSettings`
- ``cursor``: `Cursor`, how far a viewer has come in a session's two streams
- ``record``: `SessionRecord`, all that was said of a session, and its shortest retelling
- ``feed``: `Feed`, reads one session's streams once for all viewers
- ``steady``: time for ages, and what comes late
- ``contact``: `Contacts`, who was heard when; progress; the ``contact`` message
- ``wording``: why no window comes, in words
- ``viewers``: the bounded queues, lossless for events, newest wins for waves
- ``card``: `BedCard`, a bed in a few facts
- ``envelope``: four traces of a bed for the ward, as least and greatest
- ``ward``: `Ward`, all beds for the pages of the ward
- ``hub``: `Hub`, the tasks that live, from Redis to the queues
- ``scorers``: `Scorers`, what the scorers' heartbeats say of engines, windows and times, added up
- ``metrics``: what is counted
- ``files``: the pages and their scripts; ``catalogue`` has their words, ``dress`` their language and theme, ``modules``
  what their scripts import, ``packed`` all of it as gzip
- ``folder``, ``scan``: a session's folder, and a patient's scan, as the pages show them
- ``archive``: `Archive`, recorded sessions: what became of their windows, and what is made of their recordings
- ``retraced``, ``cuts``, ``jobs``: traces made again by the chain, pages of them as bytes, the one thread that does it
- ``problems``: refusals as problem+json, for people as a page
- ``gate``: who may ask: this machine alone; the headers of every answer
- ``commands``: what a person at a page asks for, and the answer of whoever does it
- ``patients``: `Patients`, the plain list of who was recorded here
- ``sockets``: a WebSocket on which a page only listens
- ``routes``: one file per first word of the URL
- ``parts``: what the routes may use
- ``openapi``: the interface as OpenAPI has it
- ``app``: `create_app`, where it is put together
- ``server``: `serve`, the life of the process
- ``cues``: an application of its own, the page that tells the patient what to do
- ``pages``, ``static``: what the browser gets, without a build; nothing comes from another host
"""
