"""What the agent does with a prompt."""

from src.utils.token_tracking import TokenTracker


def build_graph():
    """A graph of one node."""
    tracker = TokenTracker()

    def answer(prompt):
        tracker.count(prompt)
        return f"{prompt} ({tracker.tokens} tokens)"

    return answer
