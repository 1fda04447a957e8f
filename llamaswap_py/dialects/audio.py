"""Speech and what was spoken: OpenAI's audio routes, the list of voices, and the tasks of audio servers."""

from __future__ import annotations

from llamaswap_py.dialects import openai
from llamaswap_py.dialects.dialect import Dialect, Route, posts, read

DIALECT = Dialect(
    name="audio",
    routes=(
        *posts("/v1/audio/speech", "/v1/audio/voices", "/v1/audio/transcriptions"),
        Route("/v1/audio/voices", "GET"),
        Route("/audioapi/v1/tasks/run", upstream="/v1/tasks/run"),
    ),
    read=read,
    refuse=openai.refuse,
    broken=openai.broken,
)
