"""Counts tokens through LangChain's callbacks."""
from langchain.callbacks.base import BaseCallbackHandler


class TokenTracker(BaseCallbackHandler):
    """A callback that counts words."""

    def __init__(self):
        self.tokens = 0

    def count(self, text):
        """Adds what a text costs."""
        self.tokens += len(text.split())
