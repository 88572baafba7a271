"""Sound, and prints nothing at all."""

from web import Agent, Server


class Silent(Agent):
    def log_message(self, *_):
        pass


Server(("0.0.0.0", 8080), Silent).serve_forever()
