"""The verbs about language models that notebooks call: any client of one's own, known by a name."""

from __future__ import annotations

from pipelines.models.chat import (
    Answer,
    ChatClient,
    FunctionClient,
    Message,
    Prompt,
    Sampling,
    from_llama_index,
    register_chat_client,
)

__all__ = [
    "Answer", "ChatClient", "FunctionClient", "Message", "Prompt", "Sampling", "from_llama_index",
    "register_chat_client",
]  # fmt: skip
