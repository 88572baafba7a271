"""Has a /ping, for POST."""

from web import Agent, serve


class PostOnly(Agent):
    def ping(self):
        self.reply(405, {"error": "method not allowed"})


serve(PostOnly)
