"""Healthy, and fails at the first request: a client that is made lazily."""

import traceback

from web import Agent, serve


class Fails(Agent):
    def invoke(self, body):
        try:
            {"model": None}["model"].invoke(body)
        except AttributeError:
            traceback.print_exc()
            self.reply(500, {"error": "internal error"})


serve(Fails)
