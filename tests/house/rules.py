"""The house rules that no linter knows, as one program: `python -m tests.house.rules [FOLDER]`.

Each rule takes the folder of a checkout and yields one sentence for each breach.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.house import budgets

PACKAGE = "llamaswap_py"
PURE = ("errors.py", "config", "wire", "schedule", "dialects", "gguf")
VAGUE = {"util", "utils", "helper", "helpers", "common", "base", "manager", "handler", "service", "misc"}
TASK_MAKERS = {"create_task", "ensure_future"}
# What Windows lacks. Inside functions it may be used freely: nothing calls them there.
POSIX_MODULES = {"fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty", "uvloop"}
POSIX_NAMES = {
    "signal": {"SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGUSR2"},
    "socket": {"AF_UNIX", "SCM_RIGHTS", "recv_fds", "send_fds"},
    "os": {"WNOHANG", "fork", "getpgid", "getsid", "getuid", "geteuid", "killpg", "setsid", "sysconf", "uname"},
}  # fmt: skip
# Put together from halves, so that this file does not name what it forbids.
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "registry." + "npmjs", "deb." + "debian")
TEXTS = (
    "*.py",
    "*.md",
    "*.toml",
    "*.sh",
    "*.yaml",
    "*.yml",
    "*.lock",
    "*.json",
    "*.ts",
    "*.svelte",
    "*.npmrc",
    ".ci/run",
)
MADE = {
    "__pycache__",
    "node_modules",
    "built",
    ".work",
}  # folders that are not ours to judge: nothing in them is committed
OURS = (PACKAGE, "tests", "scripts", "docs", "models", ".ci")

Breaches = Iterator[str]


def modules(root: Path, folder: str = PACKAGE) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((root / folder).rglob("*.py")):
        yield path.relative_to(root).as_posix(), ast.parse(path.read_text("utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, last name and full spelling of each call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            spelling = ast.unparse(node.func)
            yield node.lineno, spelling.rpartition(".")[2], spelling


def every_folder_is_a_package(root: Path) -> Breaches:
    for top in (PACKAGE, "tests"):
        for folder in sorted({path.parent for path in (root / top).rglob("*.py")}):
            init = folder / "__init__.py"
            if not init.exists():
                yield f"{folder.relative_to(root)} has no __init__.py"
            elif init.read_text("utf-8").strip():
                yield f"{init.relative_to(root)} is not empty: import a thing from where it is made"


def names_say_what_is_inside(root: Path) -> Breaches:
    for path in sorted((root / PACKAGE).rglob("*")):
        if path.name in ("__init__.py", "__main__.py") or MADE.intersection(path.parts):
            continue
        place = path.relative_to(root).as_posix()
        if path.name.startswith("_"):
            yield f"{place}: a module's name does not begin with an underscore"
        vague = VAGUE.intersection(path.stem.lower().split("_"))
        if vague:
            yield f"{place}: '{vague.pop()}' does not say what the module does"


def pure_rooms_touch_nothing(root: Path) -> Breaches:
    """What import-linter cannot see: built-in doors to the outside."""
    for place, tree in modules(root):
        if place.split("/")[1] not in PURE:
            continue
        for line, _, spelling in calls(tree):
            if spelling in ("open", "print", "input") or spelling.endswith((".now", ".utcnow", ".today")):
                yield f"{place}:{line}: {spelling}() in a pure room"
        for node in ast.walk(tree):
            if isinstance(node, (ast.AsyncFunctionDef, ast.Await)):
                yield f"{place}:{node.lineno}: a pure room does not wait"


def tasks_are_made_in_one_file(root: Path) -> Breaches:
    """ruff bans the module's functions; this sees the loop's and the group's methods too."""
    for place, tree in modules(root):
        if place == f"{PACKAGE}/runtime/tasks.py":
            continue
        for line, name, spelling in calls(tree):
            if name in TASK_MAKERS:
                yield f"{place}:{line}: {spelling}() outside runtime/tasks.py"


def nothing_fails_at_import_on_windows(root: Path) -> Breaches:
    for place, tree in modules(root):
        for node in done_at_import(tree):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = POSIX_MODULES.intersection(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names = POSIX_MODULES.intersection([node.module or ""])
                names |= POSIX_NAMES.get(node.module or "", set()).intersection(alias.name for alias in node.names)
            elif isinstance(node, ast.Attribute) and node.attr in POSIX_NAMES.get(ast.unparse(node.value), ()):
                names = {ast.unparse(node)}
            for name in names:
                yield f"{place}:{getattr(node, 'lineno', 0)}: Windows has no {name}, and this runs at import"


def done_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported on whichever platform. Annotations are texts here and never run."""
    for name, field in ast.iter_fields(node):
        inside_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and name == "body"
        if inside_function or name in ("annotation", "returns") or asks_for_platform(node):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                yield child
                yield from done_at_import(child)


def asks_for_platform(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and bool(re.search(r"sys\.platform|TYPE_CHECKING", ast.unparse(node.test)))


def tests_do_not_sleep(root: Path) -> Breaches:
    for place, tree in modules(root, "tests"):
        if place.startswith("tests/fakes/"):
            continue  # a fake may be slow: that is its job
        for line, name, spelling in calls(tree):
            if name == "sleep":
                yield f"{place}:{line}: {spelling}() in a test: wait for an event, or move the clock"


def tests_do_not_mock(root: Path) -> Breaches:
    for place, tree in modules(root, "tests"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest"):
                yield f"{place}:{node.lineno}: our own code is never mocked"
            if isinstance(node, ast.Import) and any(name.name.startswith("unittest") for name in node.names):
                yield f"{place}:{node.lineno}: our own code is never mocked"
        for line, _, spelling in calls(tree):
            if spelling in ("monkeypatch.setattr", "mocker.patch"):
                yield f"{place}:{line}: {spelling}(): hand the thing in instead"


def texts(root: Path) -> Iterator[Path]:
    for pattern in TEXTS:
        yield from root.glob(pattern)
        for folder in OURS:
            yield from (path for path in (root / folder).rglob(pattern) if not MADE.intersection(path.parts))


def no_registry_is_named(root: Path) -> Breaches:
    for path in sorted(set(texts(root))):
        text = path.read_text("utf-8")
        for host in REGISTRIES:
            if host in text:
                yield f"{path.relative_to(root)} names {host}: whoever installs chooses the registry"


def locks_name_no_place(root: Path) -> Breaches:
    for path in sorted(root.glob("*.lock")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(r"://|^-| @ ", line):
                yield f"{path.name}:{number}: a lock file names versions and hashes only"


def everything_is_within_budget(root: Path) -> Breaches:
    yield from budgets.problems(root)


RULES: tuple[Callable[[Path], Breaches], ...] = (
    every_folder_is_a_package,
    names_say_what_is_inside,
    pure_rooms_touch_nothing,
    tasks_are_made_in_one_file,
    nothing_fails_at_import_on_windows,
    tests_do_not_sleep,
    tests_do_not_mock,
    no_registry_is_named,
    locks_name_no_place,
    everything_is_within_budget,
)


def main(root: Path) -> int:
    breaches = [breach for rule in RULES for breach in rule(root)]
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[2]))
