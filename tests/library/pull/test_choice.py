"""The right files of a repository, and what is said where there is more than one answer."""

from __future__ import annotations

import pytest

from llamaswap_py.library.pull.choice import RemoteFile, amount, choose
from llamaswap_py.library.pull.names import Wish
from llamaswap_py.library.pull.troubles import PullFailed, Trouble

PARTS = [f"big-F16-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
VISION = [
    "README.md",
    "m-Q8_0.gguf",
    "m-Q4_K_M.gguf",
    "m-IQ1_S.gguf",
    "mmproj-BF16.gguf",
    "mmproj-F16.gguf",
    "imatrix_unsloth.gguf",
]


def taken(paths: list[str], wish: Wish) -> list[str]:
    return [file.path for file in choose([RemoteFile(path, 10) for path in paths], wish).files]


def refusal(paths: list[str], wish: Wish) -> PullFailed:
    with pytest.raises(PullFailed) as caught:
        taken(paths, wish)
    return caught.value


@pytest.mark.parametrize(
    ("paths", "wish", "expected"),
    [
        (["a.gguf", "README.md"], Wish("r"), ["a.gguf"]),
        (VISION, Wish("r"), ["m-Q4_K_M.gguf", "mmproj-F16.gguf"]),
        (VISION, Wish("r", mmproj=False), ["m-Q4_K_M.gguf"]),
        (VISION, Wish("r", quant="iq1-s", mmproj=False), ["m-IQ1_S.gguf"]),
        (VISION, Wish("r", include=("*.md",)), ["README.md"]),
        (VISION, Wish("r", include=("m*",), quant="F16"), ["mmproj-F16.gguf"]),
        (PARTS, Wish("r"), PARTS),
        (PARTS, Wish("r", include=("*-00002-*",)), [PARTS[1], PARTS[0], PARTS[2]]),
        (["Q4_0/x.gguf", "Q8_0/x.gguf"], Wish("r", quant="q8_0"), ["Q8_0/x.gguf"]),
        (["Q4_0/x.gguf", "Q8_0/x.gguf"], Wish("r", include=("Q4_0/",)), ["Q4_0/x.gguf"]),
        (["x-IQ1_S.gguf", "x-IQ1_M.gguf"], Wish("r"), ["x-IQ1_M.gguf"]),
    ],
)
def test_the_right_files_are_taken(paths: list[str], wish: Wish, expected: list[str]) -> None:
    assert taken(paths, wish) == expected


def test_a_choice_that_was_made_is_said_with_its_alternatives() -> None:
    said = choose([RemoteFile(path, 10) for path in VISION], Wish("r")).said
    assert said[0] == "Taking Q4_K_M (10 B); there are also Q8_0, IQ1_S (--quant)."
    assert "--no-mmproj" in said[1]
    assert choose([RemoteFile("a.gguf", 1)], Wish("r")).said == ()


@pytest.mark.parametrize(
    ("paths", "wish", "trouble", "words"),
    [
        (VISION, Wish("r", quant="Q4_K_S"), Trouble.NO_FILE, "It has IQ1_S, Q4_K_M, Q8_0."),
        (["a.gguf"], Wish("r", quant="Q4_0"), Trouble.NO_FILE, "use --include"),
        (["a-Q4_0.gguf", "b-Q4_0.gguf"], Wish("r"), Trouble.AMBIGUOUS, "  b-Q4_0.gguf"),
        (["a-Q4_0.gguf", "b-Q4_0.gguf"], Wish("r", quant="Q4_0"), Trouble.AMBIGUOUS, "  a-Q4_0.gguf"),
        (PARTS[:2], Wish("r"), Trouble.NO_FILE, "not complete"),
        (["model.safetensors"], Wish("r"), Trouble.NO_FILE, "safetensors"),
        ([], Wish("r"), Trouble.NO_FILE, "empty"),
        ([], Wish("r", include=("*",)), Trouble.NO_FILE, "empty"),
        (VISION, Wish("r", include=("m-Q4_K_N.gguf",)), Trouble.NO_FILE, "Near it are:\n  m-Q4_K_M.gguf"),
        (["a.txt"], Wish("r", include=("zzz",)), Trouble.NO_FILE, "It has:\n  a.txt"),
        (["../a.gguf"], Wish("r"), Trouble.UNSAFE_NAME, "out of its folder"),
    ],
)
def test_where_nothing_or_too_much_fits_the_names_are_listed(
    paths: list[str], wish: Wish, trouble: Trouble, words: str
) -> None:
    refused = refusal(paths, wish)
    assert refused.trouble is trouble
    assert words in refused.message


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "2 kB"), (2_500_000, "2.5 MB"), (63_400_000_000, "63.40 GB")]
)
def test_amounts_are_as_disks_and_the_hub_count_them(size: int, text: str) -> None:
    assert amount(size) == text
