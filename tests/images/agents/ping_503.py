"""Says that it is not ready, for ever."""

from web import Agent, serve


class NeverReady(Agent):
    def ping(self):
        self.reply(503, {"status": "starting"})


serve(NeverReady)
