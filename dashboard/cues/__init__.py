"""The page that tells the patient what to do: a small application of its own, which needs neither Redis nor a session.

The desk that runs the cues, and sends their markers, is handed in; nothing here opens a stream.

- ``bell``: `Bell`, wakes every page when something else is shown
- ``routes``: the page, its events, the commands of the operator
- ``app``: `create_app`, where it is put together; `serve`, its life
- ``../pages/cues.html``, ``../static/cues``: what the browser gets
"""
