"""The agent of the founding incident, cut down to what decided it."""

import logging

logging.basicConfig(level=logging.INFO)
logging.getLogger("src.main").info("starting")

from bedrock_agentcore.runtime import BedrockAgentCoreApp  # noqa: E402

from src.graph.builder import build_graph  # noqa: E402

app = BedrockAgentCoreApp()
graph = build_graph()


@app.entrypoint
def invoke(payload):
    return {"result": graph(payload.get("prompt", ""))}


if __name__ == "__main__":
    app.run()
