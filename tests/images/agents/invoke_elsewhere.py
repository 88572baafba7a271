"""Healthy, with its requests on another path."""

from web import Agent, serve


class Elsewhere(Agent):
    def invoke(self, body):
        self.reply(404, {"error": "POST /chat instead"})


serve(Elsewhere)
