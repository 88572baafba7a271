"""Speaks A2A: an agent card, and JSON-RPC at the root."""

import json

from web import Agent, serve

CARD = {
    "name": "echo", "description": "Says it again", "version": "1.0.0", "protocolVersion": "0.3.0",
    "url": "http://localhost:9000/", "preferredTransport": "JSONRPC", "capabilities": {"streaming": False},
    "defaultInputModes": ["text"], "defaultOutputModes": ["text"],
    "skills": [{"id": "echo", "name": "Echo", "description": "Says it again", "tags": []}],
}


class Speaker(Agent):
    def do_GET(self):
        if self.path == "/.well-known/agent-card.json":
            self.reply(200, CARD)
        else:
            super().do_GET()

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        answer = {"jsonrpc": "2.0", "id": request.get("id")}
        if request.get("method") == "message/send":
            parts = request["params"]["message"]["parts"]
            answer["result"] = {"kind": "message", "messageId": "m1", "role": "agent", "parts": parts}
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        self.reply(200, answer)


serve(Speaker, port=9000)
