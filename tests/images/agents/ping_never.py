"""Takes the connection and never answers: the handler waits for a lock that the start holds."""

import threading

from web import Agent, serve

READY = threading.Event()


class Waits(Agent):
    def ping(self):
        READY.wait()
        super().ping()


serve(Waits)
