"""The price list on disk: as good as the library, or not used at all."""

import logging
from pathlib import Path

import pytest

from spanledger_collector.prices.cache import FORMAT, cache_folder, cached_price_list
from spanledger_collector.prices.extract import PriceList


@pytest.fixture
def file(tmp_path: Path, listed: PriceList) -> Path:
    return tmp_path / "prices" / f"genai-prices-{listed.version}.{FORMAT}.json"


def test_what_is_read_back_is_what_was_extracted(file: Path, listed: PriceList) -> None:
    assert cached_price_list(file.parent) == listed
    assert cached_price_list(file.parent) == listed
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_the_file_is_what_is_read(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    cached_price_list(file.parent)
    before = file.stat().st_mtime_ns
    cached_price_list(file.parent)

    assert file.stat().st_mtime_ns == before
    assert caplog.records == []


@pytest.mark.parametrize("damage", ["digit", "half", "empty", "binary"])
def test_a_damaged_file_is_made_again_with_a_warning(
    file: Path, listed: PriceList, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cached_price_list(file.parent)
    whole = file.read_bytes()
    digit = whole.rindex(b"5")
    file.write_bytes(
        {
            "digit": whole[:digit] + b"6" + whole[digit + 1 :],
            "half": whole[: len(whole) // 2],
            "empty": b"",
            "binary": b"\xff\xfe",
        }[damage]
    )

    assert cached_price_list(file.parent) == listed
    assert "cannot be read and is made again" in caplog.text
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_done_without_with_a_warning(
    tmp_path: Path, listed: PriceList, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")

    with caplog.at_level(logging.WARNING):
        assert cached_price_list(tmp_path / "file" / "prices") == listed
    assert "cannot be written" in caplog.text
    assert "SPANLEDGER_CACHE_DIR" in caplog.text


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"SPANLEDGER_CACHE_DIR": "/elsewhere", "XDG_CACHE_HOME": "/x"}, "linux", "/elsewhere"),
        ({"XDG_CACHE_HOME": "/x"}, "linux", "/x/spanledger"),
        ({}, "linux", "~/.cache/spanledger"),
        ({}, "darwin", "~/Library/Caches/spanledger"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/spanledger/Cache"),
        ({}, "win32", "~/AppData/Local/spanledger/Cache"),
    ],
)
def test_the_folder_is_the_platforms_own(environ: dict[str, str], platform: str, expected: str) -> None:
    assert cache_folder(environ, platform) == Path(expected).expanduser()
