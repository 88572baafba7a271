"""An MCP server on the protocol's own SDK, as the service wants it. `PORT` and `STATELESS` make it wrong."""

import os

from mcp.server.mcpserver import MCPServer

server = MCPServer("echo")


@server.tool()
def echo(text: str) -> str:
    """Says it again."""
    return text


if __name__ == "__main__":
    server.run(
        transport="streamable-http",
        host="0.0.0.0",
        port=int(os.environ.get("PORT", "8000")),
        stateless_http=os.environ.get("STATELESS", "yes") == "yes",
    )
