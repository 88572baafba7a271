"""Announces JSON and sends something else."""

from web import Agent, serve


class Garbage(Agent):
    def invoke(self, body):
        self.reply(200, b"{'result': 'a Python literal, no JSON'}")


serve(Garbage)
