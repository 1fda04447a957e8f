"""Images, as OpenAI and as stable-diffusion servers are asked for them."""

from __future__ import annotations

from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect, Route, posts, read

DIALECT = Dialect(
    name="images",
    routes=(
        *posts("/v1/images/generations", "/v1/images/edits", "/sdapi/v1/txt2img", "/sdapi/v1/img2img"),
        Route("/sdapi/v1/loras", "GET"),
    ),
    read=read,
    refuse=openai.refuse,
    broken=openai.broken,
)
