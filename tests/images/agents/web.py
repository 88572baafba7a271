"""The smallest server that honours the contract. An agent of the matrix overrides the one thing that it breaks."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Agent(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/ping":
            self.ping()
        else:
            self.reply(404, {"error": "no such path"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/invocations":
            self.invoke(body)
        else:
            self.reply(404, {"error": "no such path"})

    def ping(self):
        self.reply(200, {"status": "Healthy"})

    def invoke(self, body):
        self.reply(200, {"result": json.loads(body or b"{}").get("prompt", "")})

    def reply(self, status, content, kind="application/json"):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    daemon_threads = True


def serve(agent=Agent, host="0.0.0.0", port=8080):
    server = Server((host, port), agent)
    print(f"listening on {host}:{port}")
    server.serve_forever()
