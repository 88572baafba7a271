"""Answers /ping with a word."""

from web import Agent, serve


class Word(Agent):
    def ping(self):
        self.reply(200, b"pong", "text/plain")


serve(Word)
