"""One event loop for everything, and a handler that blocks it."""

import asyncio
import json
import time


async def answer(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
    await reader.readexactly(length)
    if head.startswith("POST /invocations "):
        time.sleep(8)  # A synchronous call to a model.
        content = {"result": "done"}
    else:
        content = {"status": "Healthy"}
    body = json.dumps(content).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(answer, "0.0.0.0", 8080)
    print("listening on 0.0.0.0:8080")
    await server.serve_forever()


asyncio.run(main())
