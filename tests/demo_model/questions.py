"""What the demonstration model is asked in tests, with words that its answer must have.

FIXED are questions as a newcomer asks them first. PARAPHRASES were written apart from the corpus, in other words than
it has, before any model had answered them. They are never to be added to it.
"""

from __future__ import annotations

FIXED = {
    "Who are you?": ("demonstration model", "llamaswap_py"),
    "What is a ttl?": ("time to live", "300"),
    "How do I add a model?": ("models", "cmd: llama-server --port ${PORT}"),
    "What is a group?": ("together", "swap: false"),
    "What is a matrix?": ("combinations", "embed & (chat | coder)"),
    "What are aliases?": ("other names", "gpt-4o-mini"),
    "What is a macro?": ("declare it under macros", "${name}"),
    "What is ${PORT}?": ("free port", "startPort"),
    "How do I see the logs?": ("llamaswap logs -f", "/logs"),
    "Where is the page?": ("http://127.0.0.1:8080/ui", "live logs"),
    "How do I unload a model?": ("llamaswap unload MODEL", "/api/models/unload"),
    "Do I have to restart after a change?": ("at once", "SIGHUP"),
    "What is a profile?": ("switched together", "pins"),
    "What is a peer?": ("another server", "apiKey"),
    "Do I need an API key?": ("apiKeys", "x-api-key"),
    "What is GGUF?": ("file format of llama.cpp", "inspect"),
    "Which quant should I take?": ("Q4_K_M", "Q8_0"),
    "How do I set the context size?": ("--ctx-size", "memory"),
    "How do I connect Open WebUI?": ("OpenAI API", "http://127.0.0.1:8080/v1"),
    "What is the capital of Peru?": ("only a demonstration model", "config.yaml"),
}

PARAPHRASES = {
    "And who might you be?": ("demonstration model", "llamaswap_py"),
    "After what time does an idle model get unloaded?": ("ttl", "300"),
    "I'd like to have another model in here, what do I write?": ("models", "cmd: llama-server --port ${PORT}"),
    "Can I keep a chat model and an embedding model loaded together?": ("together", "swap: false"),
    "How can one model answer to more than one name?": ("other names", "gpt-4o-mini"),
    "Can I define my own variables in the YAML?": ("macros", "${name}"),
    "Where can I read what the server printed?": ("llamaswap logs -f", "/logs"),
    "Which page do I open in my browser to see the models?": ("http://127.0.0.1:8080/ui", "live logs"),
    "How do I throw a model out of my GPU's memory?": ("llamaswap unload MODEL", "/api/models/unload"),
    "If I edit config.yaml, must I start the server again?": ("at once", "SIGHUP"),
    "How do I borrow the models of a second computer?": ("peers", "apiKey"),
    "How do I stop strangers from using my server?": ("apiKeys", "x-api-key"),
    "Tell me what kind of file a .gguf is": ("file format of llama.cpp", "inspect"),
    "Is a Q4 quant good enough for me?": ("Q4_K_M", "Q8_0"),
    "How can I make the context window larger?": ("--ctx-size", "memory"),
    "What address must I give Open WebUI?": ("OpenAI API", "http://127.0.0.1:8080/v1"),
    "I want the words to appear while they are generated": ('"stream": true', "piece by piece"),
    "Why won't my model come up?": ("llamaswap logs MODEL", "wrong path"),
    "How do I get hold of a new model from Hugging Face?": ("llamaswap pull", "models/"),
    "Who is the queen of Denmark?": ("only a demonstration model", "config.yaml"),
}
