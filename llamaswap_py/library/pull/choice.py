"""Which of a repository's files are taken, and what is said about it. Decisions over names and sizes, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

import msgspec

from llamaswap_py.library.pull.names import PART, Wish, is_safe, plain, quant_of
from llamaswap_py.library.pull.troubles import PullFailed, Trouble

# Where nothing is asked: the first of these that there is. Four bits are what most machines and most people take.
LIKED = ["Q4_K_M", "UD-Q4_K_XL", "Q4_K_XL", "MXFP4", "MXFP4_MOE", "Q4_K_S", "Q5_K_M", "Q4_0", "IQ4_XS", "IQ4_NL"]
LIKED += ["Q4_1", "Q5_K_S", "Q6_K", "Q8_0", "F16", "BF16"]
LIKED_EYES = ["F16", "BF16", "Q8_0", "F32"]  # of what reads pictures: small, and precision shows
SHOWN = 30  # names in one message


class RemoteFile(msgspec.Struct, frozen=True):
    path: str
    size: int
    sha256: str = ""  # of its content
    blob: str = ""  # git's hash of it, where there is no other

    @property
    def identity(self) -> str:
        return self.sha256 or self.blob


class Model(msgspec.Struct, frozen=True):
    """What one could load: a file, or all parts of a split one."""

    name: str
    quant: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        parts = f"{len(self.files)} files, " if len(self.files) > 1 else ""
        return f"{self.name} ({parts}{amount(self.size)})"

    @property
    def label(self) -> str:
        return str(self).replace(self.name, self.quant or self.name, 1)


class Choice(msgspec.Struct, frozen=True):
    files: tuple[RemoteFile, ...]
    said: tuple[str, ...] = ()


def choose(files: Sequence[RemoteFile], wish: Wish) -> Choice:
    """Raises PullFailed where the wish fits nothing, or fits too much."""
    choice = included(files, wish) if wish.include else preferred(files, wish)
    for file in choice.files:
        if not is_safe(file.path):
            raise PullFailed(
                Trouble.UNSAFE_NAME, f"{wish.repo} has a file whose name could lead out of its folder: {file.path!r}."
            )
    return choice


# -- by pattern


def included(files: Sequence[RemoteFile], wish: Wish) -> Choice:
    """All that match, and the other parts of whatever was matched in part."""
    matching = [file for file in files if any(matches(file.path, pattern) for pattern in wish.include)]
    if wish.quant:
        matching = [file for file in matching if plain(quant_of(file.path)) == plain(wish.quant)]
    if not matching:
        wanted = " or ".join(f"'{pattern}'" for pattern in wish.include)
        raise nothing(files, wish, f"{wish.repo} has no file that matches {wanted}", wish.include)
    chosen = set(matching)
    parts = [file for model in models_in(files) if chosen & set(model.files) for file in whole(model, wish).files]
    return Choice(tuple(dict.fromkeys([*matching, *parts])))


def matches(path: str, pattern: str) -> bool:
    pattern = f"{pattern}*" if pattern.endswith("/") else pattern
    name = path.rpartition("/")[2]
    return fnmatchcase(path, pattern) or fnmatchcase(name, pattern)


# -- by kind


def preferred(files: Sequence[RemoteFile], wish: Wish) -> Choice:
    found = models_in(files)
    models = [model for model in found if not is_aside(model.name)]
    if not models:
        raise no_models(files, wish)
    model, said = (named(models, wish), ()) if wish.quant else liked(models)
    eyes = best(each for each in found if is_eyes(each.name)) if wish.mmproj else None
    if eyes is not None:
        said = (*said, f"With it comes {eyes}, which reads pictures; --no-mmproj leaves it.")
    taken = [*whole(model, wish).files, *(eyes.files if eyes else ())]
    return Choice(tuple(taken), said)


def named(models: Sequence[Model], wish: Wish) -> Model:
    fitting = [model for model in models if plain(model.quant) == plain(wish.quant)]
    if not fitting:
        quants = sorted({model.quant for model in models if model.quant})
        near = get_close_matches(plain(wish.quant), quants, 3, 0.5)
        there = (
            f"It has {', '.join(quants)}." if quants else "The names of its files say no quantisation; use --include."
        )
        raise PullFailed(Trouble.NO_FILE, f"{wish.repo} has no {wish.quant}. {there}", near)
    return only(fitting, f"{wish.quant} fits more than one model")


def liked(models: Sequence[Model]) -> tuple[Model, tuple[str, ...]]:
    if len(models) == 1:
        return models[0], ()
    ranked = sorted({model.quant for model in models}, key=rank)
    model = only([each for each in models if each.quant == ranked[0]], "there is more than one model")
    others = ", ".join(quant for quant in ranked[1:] if quant)
    also = f"; there are also {others} (--quant)" if others else "; --include chooses another"
    return model, (f"Taking {model.label}{also}.",)


def rank(quant: str) -> tuple[int, str]:
    return (LIKED.index(quant) if quant in LIKED else len(LIKED), quant)


def only(models: Sequence[Model], why: str) -> Model:
    if len(models) == 1:
        return models[0]
    listed = "\n".join(f"  {model}" for model in models[:SHOWN])
    raise PullFailed(
        Trouble.AMBIGUOUS,
        f"Which one? Here {why}; name it with --include:\n{listed}",
        [model.name for model in models[:SHOWN]],
    )


def best(models: Iterable[Model]) -> Model | None:
    def order(model: Model) -> tuple[int, int]:
        return (LIKED_EYES.index(model.quant) if model.quant in LIKED_EYES else len(LIKED_EYES), model.size)

    return min(models, key=order, default=None)


# -- what there is


def models_in(files: Sequence[RemoteFile]) -> list[Model]:
    """GGUF files, the parts of a split one together, in the order of their names."""
    found: dict[str, list[RemoteFile]] = {}
    for file in sorted(files, key=lambda each: each.path):
        if file.path.lower().endswith(".gguf"):
            part = PART.fullmatch(file.path)
            key = f"{part['stem']}-of-{part['count']}" if part else file.path
            found.setdefault(key, []).append(file)
    return [Model(parts[0].path, quant_of(parts[0].path), tuple(parts)) for parts in found.values()]


def whole(model: Model, wish: Wish) -> Model:
    """The model itself, where none of its parts is missing on the hub."""
    part = PART.fullmatch(model.name)
    if part is not None and len(model.files) != int(part["count"]):
        raise PullFailed(
            Trouble.NO_FILE,
            f"{wish.repo} is not complete: of the {int(part['count'])} parts of {part['stem']} it has"
            f" {len(model.files)}. Perhaps it is still being uploaded.",
        )
    return model


def is_eyes(path: str) -> bool:
    return "mmproj" in path.lower()


def is_aside(path: str) -> bool:
    """Not a model by itself: what reads pictures, and data for making quantisations."""
    return is_eyes(path) or "imatrix" in path.lower()


def no_models(files: Sequence[RemoteFile], wish: Wish) -> PullFailed:
    kinds = sorted({file.path.rpartition(".")[2] for file in files if "." in file.path.strip(".")})
    holds = f"it holds {', '.join(kinds[:8])} files" if kinds else "it is empty"
    return PullFailed(
        Trouble.NO_FILE,
        f"{wish.repo} has no GGUF files; {holds}. A repository whose name ends in -GGUF is likely to have them,"
        " and --include takes any file.",
    )


def nothing(files: Sequence[RemoteFile], wish: Wish, why: str, patterns: Iterable[str]) -> PullFailed:
    paths = [file.path for file in files]
    near = [name for pattern in patterns for name in get_close_matches(pattern.strip("*"), paths, 3, 0.3)]
    there = near or [path for path in paths if path.lower().endswith(".gguf")][:SHOWN] or paths[:SHOWN]
    listed = "\n".join(f"  {path}" for path in dict.fromkeys(there))
    head = "Near it are" if near else "It has"
    return PullFailed(Trouble.NO_FILE, f"{why}. {head}:\n{listed}" if there else f"{why}; it is empty.", near)


def amount(size: float) -> str:
    """As disks and the hub count: in thousands."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit in ("B", "kB") else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
