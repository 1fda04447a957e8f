"""What llama-server serves beside the OpenAI API: its own completion, infill, props and the spellings of rerank."""

from __future__ import annotations

from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect, Route, posts, read, unversioned

DIALECT = Dialect(
    name="llamacpp",
    routes=(
        *posts("/completion", "/infill", "/v1/rerank", "/v1/reranking", "/rerank", "/reranking"),
        *unversioned("/rerank", "/reranking"),
        Route("/props", "GET"),
    ),
    read=read,
    refuse=openai.refuse,
    broken=openai.broken,
)
