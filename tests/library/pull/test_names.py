"""What a person may write for a repository, and which names are safe."""

from __future__ import annotations

import pytest

from llamaswap_py.library.pull.names import Wish, is_safe, quant_of, wish_of
from llamaswap_py.library.pull.troubles import PullFailed


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("acme/Tiny-GGUF", Wish("acme/Tiny-GGUF")),
        (" gpt2 ", Wish("gpt2")),
        ("acme/Tiny-GGUF:Q4_K_M", Wish("acme/Tiny-GGUF", quant="Q4_K_M")),
        ("acme/Tiny-GGUF:latest", Wish("acme/Tiny-GGUF")),
        ("https://huggingface.co/acme/Tiny-GGUF", Wish("acme/Tiny-GGUF")),
        ("https://huggingface.co/acme/Tiny-GGUF/?x=1#y", Wish("acme/Tiny-GGUF")),
        ("hf.co/acme/Tiny-GGUF:Q8_0", Wish("acme/Tiny-GGUF", quant="Q8_0")),
        (
            "https://huggingface.co/acme/Tiny/blob/v2/a/b%20c.gguf?download=true",
            Wish("acme/Tiny", ("a/b c.gguf",), revision="v2"),
        ),
        ("https://huggingface.co/acme/Tiny/tree/main/Q4", Wish("acme/Tiny", ("Q4/*",), revision="main")),
        ("https://huggingface.co/acme/Tiny/tree/main", Wish("acme/Tiny", revision="main")),
    ],
)
def test_a_name_or_an_address_of_the_hubs_site_is_understood(text: str, wish: Wish) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize(
    "text", ["", "..", "a/..", "../a", "a/b/c", "a b", "/a", "a/", "-x", "a/.b", "file:///etc/x/y", "a/b..c"]
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(PullFailed, match="is not the name of a repository"):
        wish_of(text)


def test_what_is_said_beside_an_address_counts_more() -> None:
    assert wish_of("acme/T:Q8_0", quant="Q4_0").quant == "Q4_0"
    assert wish_of("hf.co/acme/T/blob/main/x.gguf", ("*.md",), revision="v1") == Wish(
        "acme/T", ("*.md",), revision="v1"
    )


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("a.gguf", True),
        ("Q4/a b.gguf", True),
        (".gitattributes", True),
        ("modèle.gguf", True),
        *(
            (path, False)
            for path in ("", "/a", "a/", "../a", "a/../b", "./a", "a\\b", "C:a", "a//b", "a\0", "a\nb", "a. ")
        ),
        *((path, False) for path in ("nul", "aux.gguf", "con/x", "x" * 201, "a*", "\u202egguf.exe")),
    ],
)
def test_a_path_stays_within_its_folder_on_any_system(path: str, safe: bool) -> None:
    assert is_safe(path) is safe


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("gpt-oss-120b-mxfp4-00001-of-00003.gguf", "MXFP4"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS"),
        ("BF16/model-00001-of-00002.gguf", "BF16"),
        ("mmproj-model-fp16.gguf", "F16"),
        ("tq-TQ1_0.gguf", "TQ1_0"),
        ("Qwen3-8B.gguf", ""),
    ],
)
def test_the_quantisation_is_read_from_the_name_or_its_folder(path: str, quant: str) -> None:
    assert quant_of(path) == quant
