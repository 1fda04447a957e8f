"""Pulls from a hub that behaves, and from one that does not: each failure in words, and no half file anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamaswap_py.library.pull import folder
from llamaswap_py.library.pull.names import Wish, wish_of
from llamaswap_py.library.pull.pull import Done
from llamaswap_py.library.pull.troubles import Trouble
from tests.fakes.hub import FakeHub, Mood, Repo
from tests.library.pull.pulls import LONG, MODEL, REPO, ended, gguf, hub_of, left_in, pulled, started

PAGE = b"<!DOCTYPE html><title>Sign in</title>"


def file_in(models: Path, name: str = MODEL) -> Path:
    return models / "Tiny-GGUF" / name


def parts_in(models: Path) -> list[Path]:
    return sorted(models.rglob(".*.part"))


# -- it works


def test_a_model_comes_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    with hub_of() as hub:
        result = pulled(hub, tmp_path)
    assert result.files == (str(file_in(tmp_path)),)
    assert file_in(tmp_path).read_bytes() == gguf(200_000)
    assert {path.name for path in file_in(tmp_path).parent.iterdir()} == {MODEL, folder.MARK}


def test_what_is_there_is_checked_and_not_loaded_again(tmp_path: Path) -> None:
    with hub_of() as hub:
        pulled(hub, tmp_path)
        pulled(hub, tmp_path)
        assert hub.count(MODEL) == 1


def test_a_file_that_was_damaged_on_the_disk_is_replaced(tmp_path: Path) -> None:
    with hub_of() as hub:
        pulled(hub, tmp_path)
        file_in(tmp_path).write_bytes(gguf(200_000, seed=1))
        pulled(hub, tmp_path)
    assert file_in(tmp_path).read_bytes() == gguf(200_000)


def test_all_parts_of_a_split_model_come_several_at_once_into_their_folder(tmp_path: Path) -> None:
    files = {f"Q4_K_M/Tiny-Q4_K_M-0000{n}-of-00003.gguf": gguf(50_000, n) for n in (1, 2, 3)}
    with FakeHub({REPO: Repo(files)}) as hub:
        first = next(iter(files))
        hub.moods[first].append(Mood(pause_after=1000))
        hub.on_pause = lambda: None
        pull = started(hub, tmp_path)
        assert hub.paused.wait(LONG)
        for name in list(files)[1:]:  # they come while the first stands still
            while not (tmp_path / "Tiny-GGUF" / name).exists():
                assert not hub.released.is_set()
                pull.next(0.01)
        hub.released.set()
        result = ended(pull)
    assert [Path(path).read_bytes() for path in result.files] == list(files.values())


def test_small_files_are_checked_by_the_hash_git_gives_them(tmp_path: Path) -> None:
    wish = Wish(REPO, include=("*.json", "empty"))
    with FakeHub({REPO: Repo({"config.json": b"{}", "empty": b""}, plain=("config.json", "empty"))}) as hub:
        assert left_in(tmp_path) == set()
        assert isinstance(pulled(hub, tmp_path, wish).end, Done)
        assert left_in(tmp_path) == {"config.json", "empty"}
        hub.repos[REPO].said_sha["config.json"] = "0" * 40
        assert pulled(hub, tmp_path, wish).trouble == "wrong_checksum"


def test_a_newer_version_takes_the_place_of_the_older_only_when_it_is_whole(tmp_path: Path) -> None:
    with hub_of() as hub:
        pulled(hub, tmp_path)
        hub.repos[REPO].files[MODEL] = gguf(300_000, seed=2)
        hub.moods[MODEL].append(Mood(status=404, headers={"X-Error-Code": "EntryNotFound"}))
        assert pulled(hub, tmp_path).trouble == "file_not_found"
        assert file_in(tmp_path).read_bytes() == gguf(200_000)
        pulled(hub, tmp_path)
    assert file_in(tmp_path).read_bytes() == gguf(300_000, seed=2)


def test_the_folder_has_the_name_as_the_hub_spells_it(tmp_path: Path) -> None:
    with FakeHub({REPO: Repo({MODEL: gguf(10)})}) as hub:
        hub.spelling = {"ACME/tiny-gguf": REPO}
        assert pulled(hub, tmp_path, wish_of("ACME/tiny-gguf")).files == (str(file_in(tmp_path)),)


def test_two_owners_with_one_name_have_a_folder_each(tmp_path: Path) -> None:
    with FakeHub({"acme/M": Repo({"m.gguf": gguf(10)}), "other/M": Repo({"m.gguf": gguf(10, 1)})}) as hub:
        pulled(hub, tmp_path, wish_of("acme/M"))
        pulled(hub, tmp_path, wish_of("other/M"))
        pulled(hub, tmp_path, wish_of("acme/M"))
    assert (tmp_path / "M" / "m.gguf").read_bytes() == gguf(10)
    assert (tmp_path / "M--other" / "m.gguf").read_bytes() == gguf(10, 1)


def test_the_token_opens_a_gated_repository_and_is_not_told_to_the_storage(tmp_path: Path) -> None:
    with FakeHub({REPO: Repo({MODEL: gguf(1000)}, gated=True)}) as hub:
        assert isinstance(pulled(hub, tmp_path, token=hub.token).end, Done)
        told = {path.split("/")[1]: headers.get("authorization") for _, path, headers in hub.requests}
    assert told == {"api": "Bearer hf_opens", "acme": "Bearer hf_opens", "storage": None}


# -- interrupted


def test_a_broken_connection_goes_on_where_it_broke(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend([Mood(stop_after=70_000), Mood(stop_after=1)])
        result = pulled(hub, tmp_path)
        assert hub.sent[MODEL] == 200_000
    assert result.waited == [1.0, 1.0]  # it got further, so patience begins anew
    assert file_in(tmp_path).read_bytes() == gguf(200_000)


def test_a_server_that_cannot_go_on_in_the_middle_begins_anew(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend([Mood(stop_after=70_000), Mood(ignore_range=True)])
        result = pulled(hub, tmp_path)
    assert any("begins anew" in note for note in result.notes)
    assert file_in(tmp_path).read_bytes() == gguf(200_000)


def test_one_that_breaks_off_for_ever_is_given_up_with_what_has_come_kept(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend([Mood(stop_after=70_000), *(Mood(stop_after=0) for _ in range(20))])
        assert pulled(hub, tmp_path).trouble == "no_network"
        assert [part.stat().st_size for part in parts_in(tmp_path)] == [70_000]
        assert left_in(tmp_path) == set()
        hub.moods[MODEL].clear()
        assert isinstance(pulled(hub, tmp_path).end, Done)
        assert hub.sent[MODEL] == 200_000


def test_a_part_that_was_damaged_is_noticed_and_loaded_anew(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend([Mood(stop_after=70_000), Mood(status=404)])
        pulled(hub, tmp_path)
        part = parts_in(tmp_path)[0]
        part.write_bytes(part.read_bytes()[:1000] + bytes(69_000))
        result = pulled(hub, tmp_path)
    assert any("damaged" in note for note in result.notes)
    assert file_in(tmp_path).read_bytes() == gguf(200_000)


def test_a_part_of_an_older_version_is_never_gone_on_with(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend([Mood(stop_after=70_000), Mood(status=404)])
        pulled(hub, tmp_path)
        hub.repos[REPO].files[MODEL] = gguf(200_000, seed=5)
        pulled(hub, tmp_path)
    assert file_in(tmp_path).read_bytes() == gguf(200_000, seed=5)
    assert parts_in(tmp_path) == []


def test_a_stopped_pull_ends_and_keeps_what_has_come(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].append(Mood(pause_after=50_000))
        pull = started(hub, tmp_path)
        assert hub.paused.wait(LONG)
        pull.stop()
        hub.released.set()
        assert ended(pull).trouble == "stopped"
    assert left_in(tmp_path) == set()


# -- shared


def test_two_pulls_of_one_file_share_one_transfer(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].append(Mood(pause_after=50_000))
        first = started(hub, tmp_path)
        assert hub.paused.wait(LONG)
        second = started(hub, tmp_path)
        while "loaded by another pull" not in [row[3] for row in second.progress(0.0).files]:
            second.next(0.01)
        hub.released.set()
        assert ended(first).files == ended(second).files
        assert hub.sent[MODEL] == 200_000
        assert hub.count(MODEL) == 1


def test_when_the_first_of_two_is_stopped_the_second_goes_on_where_it_was(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].append(Mood(pause_after=50_000, stop_after=50_000))
        first = started(hub, tmp_path)
        assert hub.paused.wait(LONG)
        second = started(hub, tmp_path)
        while "loaded by another pull" not in [row[3] for row in second.progress(0.0).files]:
            second.next(0.01)
        first.stop()
        hub.released.set()
        assert ended(first).trouble == "stopped"
        assert isinstance(ended(second).end, Done)
        assert hub.sent[MODEL] == 200_000


def test_a_part_that_somebody_brings_is_left_alone_when_another_version_is_placed(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].append(Mood(pause_after=50_000))
        first = started(hub, tmp_path)
        assert hub.paused.wait(LONG)
        old = hub.repos[REPO].files[MODEL]
        hub.repos[REPO].files[MODEL] = gguf(200_000, seed=8)
        pulled(hub, tmp_path)
        hub.repos[REPO].files[MODEL] = old
        hub.released.set()
        assert isinstance(ended(first).end, Done)
    assert file_in(tmp_path).read_bytes() == old


# -- refused


@pytest.mark.parametrize(
    ("mood", "trouble", "words"),
    [
        (Mood(status=404, headers={"X-Error-Code": "EntryNotFound"}), "file_not_found", MODEL),
        (Mood(status=403), "access_denied", "HF_TOKEN"),
        (Mood(body=PAGE, headers={"Content-Type": "text/html; charset=utf-8"}), "not_a_model", "web page"),
        (Mood(body=PAGE + bytes(200_000 - len(PAGE))), "not_a_model", "no GGUF"),
        (Mood(body=b"GG"), "wrong_size", "200000"),
        (Mood(body=gguf(200_001)), "wrong_size", "200001"),
        (Mood(body=gguf(200_000, seed=9)), "wrong_checksum", "checksum"),
        (Mood(status=416), "wrong_size", "shorter"),
        (Mood(status=418), "hub_failed", "418"),
        (Mood(status=429, headers={"Retry-After": "4000"}), "rate_limited", "4000 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_ends_the_pull_in_words_and_without_a_file(
    tmp_path: Path, mood: Mood, trouble: str, words: str
) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].append(mood)
        result = pulled(hub, tmp_path)
    assert result.trouble == trouble
    assert words in result.message
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_server_in_trouble_is_asked_again_and_given_up_after_some_time(tmp_path: Path, status: int) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend(Mood(status=status) for _ in range(20))
        result = pulled(hub, tmp_path)
        assert result.trouble == "hub_failed"
        assert str(status) in result.message
        assert result.waited == [1.0, 2.0, 4.0, 8.0, 16.0]
        hub.moods[MODEL].clear()
        hub.moods[MODEL].append(Mood(status=status))
        assert isinstance(pulled(hub, tmp_path).end, Done)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7.0), ({"RateLimit": '"resolvers";r=0;t=55'}, 55.0), ({}, 1.0)],
)
def test_too_many_requests_are_waited_out_as_told(tmp_path: Path, headers: dict[str, str], seconds: float) -> None:
    with hub_of() as hub:
        hub.moods["api"].append(Mood(status=429, headers=headers))
        hub.moods[MODEL].append(Mood(status=429, headers=headers))
        result = pulled(hub, tmp_path)
    assert result.waited == [seconds, seconds]
    assert isinstance(result.end, Done)


@pytest.mark.parametrize("token", ["", "hf_of_somebody_else"])
def test_a_gated_repository_says_where_to_accept_its_terms(tmp_path: Path, token: str) -> None:
    with FakeHub({REPO: Repo({MODEL: gguf(1000)}, gated=True)}) as hub:
        result = pulled(hub, tmp_path, token=token)
        assert result.trouble == "access_denied"
        assert f"{hub.url}/{REPO}" in result.message
        assert ("HF_TOKEN" in result.message) == (not token)


def test_a_misspelt_repository_suggests_near_ones(tmp_path: Path) -> None:
    with FakeHub({REPO: Repo({}), "acme/Tiny": Repo({}), "zebra/Stripes": Repo({})}) as hub:
        result = pulled(hub, tmp_path, wish_of("acme/Tinny-GUFF"))
    assert result.trouble == "repository_not_found"
    assert REPO in result.message
    assert "zebra" not in result.message


def test_an_unknown_revision_is_named(tmp_path: Path) -> None:
    with hub_of() as hub:
        result = pulled(hub, tmp_path, Wish(REPO, revision="v9"))
    assert (result.trouble, "'v9'" in result.message) == ("revision_not_found", True)


@pytest.mark.parametrize("body", [PAGE, b"", b"\xff", b"[]", b"{}", b"null", b'{"id": 3, "siblings": [1]}'])
def test_what_does_not_answer_as_a_hub_does_is_said_to_be_none(tmp_path: Path, body: bytes) -> None:
    with hub_of() as hub:
        hub.moods["api"].append(Mood(body=body))
        result = pulled(hub, tmp_path)
    assert result.trouble == "hub_failed"
    assert "HF_ENDPOINT" in result.message


def test_without_a_network_it_says_so_after_some_tries(tmp_path: Path) -> None:
    with hub_of() as hub:
        pass  # closed again
    result = pulled(hub, tmp_path)
    assert (result.trouble, hub.url in result.message) == ("no_network", True)
    assert result.waited == [1.0, 2.0, 4.0, 8.0, 16.0]


# -- the disk


def test_too_little_room_is_said_before_anything_comes(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.repos[REPO].said_size[MODEL] = 10**18
        result = pulled(hub, tmp_path)
        assert hub.sent[MODEL] == 0
    assert result.trouble == "disk_full"
    assert "--dir" in result.message


@pytest.mark.parametrize(
    "path",
    ["../evil.gguf", "/tmp/evil.gguf", "a/../../evil.gguf", "a\\evil.gguf", "C:evil.gguf", "a//b.gguf", "x\x1b.gguf"],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with FakeHub({REPO: Repo({path: gguf(100)})}) as hub:
        assert pulled(hub, tmp_path / "models").trouble == "unsafe_name"
    assert left_in(tmp_path) == set()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside, models = tmp_path / "outside", tmp_path / "models"
    outside.mkdir()
    (models / "Tiny-GGUF").mkdir(parents=True)
    (models / "Tiny-GGUF" / "sub").symlink_to(outside)
    with FakeHub({REPO: Repo({"sub/m.gguf": gguf(100)})}) as hub:
        assert pulled(hub, models).trouble == "unsafe_name"
    assert list(outside.iterdir()) == []


def test_a_link_in_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    with hub_of() as hub:
        hub.moods[MODEL].extend([Mood(stop_after=70_000), Mood(status=404)])
        pulled(hub, tmp_path)
        part, precious = parts_in(tmp_path)[0], tmp_path / "precious"
        precious.write_text("mine")
        part.unlink()
        part.symlink_to(precious)
        assert pulled(hub, tmp_path).trouble == "disk_failed"
    assert precious.read_text() == "mine"


def test_every_trouble_is_written_down() -> None:
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")
    assert [trouble for trouble in Trouble if f"`{trouble}`" not in page] == []
