"""Which version this is: as installed, or as written in the checkout it runs from."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def version() -> str:
    from importlib import metadata

    try:
        return metadata.version("llamaswap-py")
    except metadata.PackageNotFoundError:
        return version_of_checkout()


def version_of_checkout() -> str:
    import tomllib

    text = Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8")
    return str(tomllib.loads(text)["project"]["version"])
