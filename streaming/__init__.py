"""The backbone: how windows leave the bridge and how results come back, through Redis (laws 2, 5 and 7).

Redis is transport, the session folder is the record. In the order of the data:

- ``errors``: the branch of the error tree that grows here
- ``keys``: the name of every key, channel and group
- ``records``: what travels: `WindowRecord`, `ResultRecord`, their bytes and their checks
- ``connection``: every timeout and retry in one place; `connect`, `TransportDown`
- ``server``: `PrivateServer`, a Redis of our own that dies with its parent
- ``script``: the Lua scripts of ``scripts/``, one atomic act each
- ``sessions``: `Registry`, which sessions and beds there are
- ``lease``: `Lease`, who may write for a bed and its sources, and under which term
- ``bridge``: the loop from the source through the session folder and the chain to the outbox
- ``recorder``: the session folder as the bridge writes it, also when the disk refuses
- ``scans``: how a session hears of the scores of its patient's scans
- ``framing``: traces cut into frames for the screen
- ``pulse``: what the bridge knows about the signal right now
- ``teller``: what the screen must not miss of a session
- ``outbox``: everything between the bridge and Redis, on a thread of its own
- ``publisher``: `Publisher`, a window is published once, by the owner of the term alone
- ``delivery``: `Delivery`, a window in the hands of a scorer
- ``consumer``: `Consumer`, windows read, reclaimed, their deliveries counted
- ``committer``: `Committer`, a result stored and its window deleted in one step
- ``deadletter``: windows that no scorer survived, kept and named
- ``tail``: reading a stream after a cursor, also across a wiped server
- ``results``: `ResultReader`, what was committed, in order
- ``events``: `EventLog`, what the screen must not miss
- ``waves``: `WaveFrame`, traces for the screen, newest wins
- ``heartbeat``: `Heartbeat`, the contact that ages every number on the screen
- ``subscription``: listening to what is published without being stored
- ``control``: `Control`, commands and their answers
"""
