"""Which earlier texts are kept."""

from __future__ import annotations

from llamaswap_py.config.versions import NAME, Version, last_of, name_of, surplus, tag_of


def version(number: int, file: str = "a", size: int = 10) -> Version:
    tag = tag_of(str(number).encode())
    return Version(name_of(float(number), tag), file, float(number), "edit", tag, size)


def times(versions: list[Version]) -> list[float]:
    return sorted(each.at for each in versions)


def test_names_are_in_the_order_of_time() -> None:
    names = [name_of(at, tag_of(b"")) for at in (9.5, 10.0, 1_800_000_000.0)]
    assert names == sorted(names)
    assert all(NAME.fullmatch(name) for name in names)


def test_the_last_of_a_file_is_found() -> None:
    versions = [version(2), version(1), version(3, "b")]
    assert last_of(versions, "a") == versions[0]
    assert last_of(versions, "c") is None


def test_the_oldest_of_a_file_make_room() -> None:
    versions = [version(number) for number in range(5)] + [version(9, "b")]
    assert times(surplus(versions, most=3)) == [0, 1]
    assert surplus(versions) == []


def test_together_they_stay_below_a_size_and_the_last_of_each_file_is_kept() -> None:
    versions = [version(number) for number in range(5)] + [version(0, "b", 100)]
    assert times(surplus(versions, most_bytes=25)) == [0, 1, 2]
    huge = [version(1, size=1000), version(2, size=1000)]
    assert times(surplus(huge, most_bytes=25)) == [1]
