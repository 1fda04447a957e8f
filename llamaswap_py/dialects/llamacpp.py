"""What llama-server serves beside the OpenAI API: its own completion, infill and the spellings of rerank."""

from __future__ import annotations

from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect, read_json

DIALECT = Dialect(
    name="llamacpp",
    paths=("/completion", "/infill", "/v1/rerank", "/v1/reranking", "/rerank", "/reranking"),
    read=read_json,
    refuse=openai.refuse,
    broken=openai.broken,
)
