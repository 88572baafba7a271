"""Refuses every Host header but localhost, as a guard against DNS rebinding does."""

from web import Agent, serve


class Guarded(Agent):
    def parse_request(self):
        if not super().parse_request():
            return False
        if self.headers.get("Host", "").split(":")[0] not in ("localhost", "127.0.0.1"):
            self.reply(421, b"Invalid Host header", "text/plain")
            return False
        return True


serve(Guarded)
