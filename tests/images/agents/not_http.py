"""Speaks another protocol on the right port."""

import socketserver


class Greeter(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"SSH-2.0-agent\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


print("listening on 0.0.0.0:8080")
Server(("0.0.0.0", 8080), Greeter).serve_forever()
