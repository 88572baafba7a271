"""Knows /invocations and nothing else."""

from web import Agent, serve


class NoPing(Agent):
    def ping(self):
        self.reply(404, {"error": "no such path"})


serve(NoPing)
