"""An MCP server whose guard against DNS rebinding knows loopback only: the SDK's default, served to everybody."""

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("echo")


@server.tool()
def echo(text: str) -> str:
    """Says it again."""
    return text


if __name__ == "__main__":
    uvicorn.run(server.streamable_http_app(stateless_http=True), host="0.0.0.0", port=8000)
