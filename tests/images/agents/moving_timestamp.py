"""Says on every ping that its state has just changed, so that no session ever goes idle."""

import time

from web import Agent, serve


class Moving(Agent):
    def ping(self):
        self.reply(200, {"status": "Healthy", "time_of_last_update": int(time.time())})


serve(Moving)
