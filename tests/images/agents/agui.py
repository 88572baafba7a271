"""Speaks AG-UI: a run as server-sent events."""

import json

from web import Agent, serve


class Speaker(Agent):
    def invoke(self, body):
        run = json.loads(body)
        ids = {"threadId": run["threadId"], "runId": run["runId"]}
        events = [
            {"type": "RUN_STARTED", **ids},
            {"type": "TEXT_MESSAGE_START", "messageId": "m1", "role": "assistant"},
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m1", "delta": "Hello"},
            {"type": "TEXT_MESSAGE_END", "messageId": "m1"},
            {"type": "RUN_FINISHED", **ids},
        ]
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self.reply(200, text.encode(), "text/event-stream")


serve(Speaker)
