"""What is written to disk is whole, and on disk, even if the power fails."""

import os

import pytest

from scraper.atomic import write_atomically


@pytest.fixture
def synced(monkeypatch):
    """The inodes of the files and folders that were flushed to disk."""
    inodes, fsync = set(), os.fsync

    def record(handle):
        inodes.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    return inodes


def test_a_file_is_replaced_and_flushed_with_its_folder(tmp_path, synced):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")

    write_atomically(path, b"new")

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    assert {path.stat().st_ino, tmp_path.stat().st_ino} <= synced


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")

    def full(_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_all_of_a_dataset_is_flushed(project, tmp_path, draw, synced):
    (tmp_path / "bags").mkdir()
    (tmp_path / "bags" / "1.jpg").write_bytes(draw(1))
    project.run("import", tmp_path / "bags")

    project.run("build")

    dataset = tmp_path / "dataset"
    assert len(list(dataset.iterdir())) == 4
    assert {path.stat().st_ino for path in (*dataset.iterdir(), dataset, tmp_path)} <= synced
