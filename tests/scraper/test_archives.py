"""Zips and tars of pictures: nothing is extracted to disk, whatever the names in them."""

import io
import os
import tarfile
import zipfile

import pytest
from PIL import Image

from scraper.square import square


@pytest.fixture
def packed(tmp_path, draw):
    """`packed(suffix, {name: bytes})` packs an archive."""

    def pack(suffix, files):
        path = tmp_path / f"bags{suffix}"
        if suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, data in files.items():
                    archive.writestr(name, data)
        else:
            with tarfile.open(path, "w:gz" if suffix == ".tar.gz" else "w") as archive:
                for name, data in files.items():
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
        return path

    return pack


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
def test_an_archive_is_imported_with_its_table(project, packed, draw, suffix):
    table = b"file,title,brand\ndeep/er/1.jpg,Speedy,Louis Vuitton\n"
    path = packed(suffix, {"deep/er/1.jpg": draw(1), "2.png": draw(2, "PNG"), "tags.csv": table})

    event = project.run("import", path, "--json").event("shop")
    project.run("build")

    assert (event["shop"], event["new"], event["failed"]) == ("bags", 2, 0)
    assert {item["title"] for item in project.items()} == {"Speedy", ""}
    assert project.run("import", path, "--json").event("shop")["known"] == 2


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_zip_slip_writes_nothing_outside(project, packed, draw, tmp_path, suffix):
    path = packed(
        suffix, {"../../evil.jpg": draw(1), "/tmp/evil-absolute.jpg": draw(2), "ünï/x\\..\\y.jpg": draw(3)}
    )
    before = set(tmp_path.parent.rglob("*evil*"))

    assert project.run("import", path, "--json").event("shop")["new"] == 3
    assert set(tmp_path.parent.rglob("*evil*")) == before


def test_a_zip_bomb_is_refused(project, packed, draw):
    project.configure("picture_bytes = 1_000_000")
    path = packed(".zip", {"bomb.jpg": bytes(10_000_000), "1.jpg": draw(1)})

    result = project.run("import", path, "--json")

    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (1, 1)
    assert "1 larger than 1000000 bytes" in result.event("problem")["message"]


def test_symlinks_in_an_archive_are_refused(project, tmp_path, draw):
    (tmp_path / "secret.jpg").write_bytes(draw(9))
    path = tmp_path / "bags.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret.jpg")
        archive.addfile(link)
    zipped = tmp_path / "links.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        info = zipfile.ZipInfo("link.jpg")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, str(tmp_path / "secret.jpg"))

    for archive in (path, zipped):
        result = project.run("import", archive, "--json")
        assert (result.code, result.event("shop")["new"]) == (2, 0)
        assert "symlink" in result.event("problem")["message"]


def test_a_truncated_archive_is_one_line(project, packed, draw):
    path = packed(".zip", {"1.jpg": draw(1)})
    path.write_bytes(path.read_bytes()[:-40])

    result = project.run("import", path)

    assert (result.code, result.err.count("\n")) == (2, 1)


def test_half_of_a_pair_can_be_taken(project, packed, draw, tmp_path):
    pair = Image.new("RGB", (200, 100), "white")
    pair.paste(Image.open(io.BytesIO(draw(1, "PNG", (100, 100)))), (100, 0))
    file = io.BytesIO()
    pair.save(file, "PNG")
    path = packed(".zip", {"1_AB.png": file.getvalue()})
    project.configure("image_size = 64")

    project.run("import", path, "--crop", "right-half")
    project.run("build")

    assert (project.images()[0] == square(draw(1, "PNG", (100, 100)), 64, 10**8).pixels).all()


def test_a_folder_of_the_config_is_collected_too(project, tmp_path, draw):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.jpg").write_bytes(draw(1))
    project.configure(f'[scraper.shops.own]\nkind = "folder"\npath = "{tmp_path}/mine"\n')

    assert project.run("collect", "--json").event("shop") == {
        "event": "shop", "shop": "own", "new": 1, "known": 0, "failed": 0, "duplicates": 0,
        "changed": 0,
    }  # fmt: skip


def test_names_in_any_encoding_are_imported(project, tmp_path, draw):
    path = tmp_path / "bags.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for number, name in enumerate(("café.jpg", "plain.jpg", "bags/ÿ.jpg")):
            info = tarfile.TarInfo(name)
            info.size = len(draw(number))
            archive.addfile(info, io.BytesIO(draw(number)))
        table = "file,title\ncafé.jpg,Tote\n".encode()
        info = tarfile.TarInfo("tags.csv")
        info.size = len(table)
        archive.addfile(info, io.BytesIO(table))

    assert project.run("import", path, "--json").event("shop")["new"] == 3
    project.run("build")
    assert sorted(item["title"] for item in project.items()) == ["", "", "Tote"]


def test_a_file_name_that_is_not_text_is_imported(project, tmp_path, draw):
    (tmp_path / "bags").mkdir()
    (tmp_path / "bags" / os.fsdecode(b"\xff\xe9.jpg")).write_bytes(draw(1))

    assert project.run("import", tmp_path / "bags", "--json").event("shop")["new"] == 1


def test_a_zip_whose_names_are_not_what_it_says_is_one_line(project, packed, draw):
    path = packed(".zip", {"ü.jpg": draw(1)})
    path.write_bytes(path.read_bytes().replace("ü".encode(), b"\xff\xfe"))

    result = project.run("import", path)

    assert (result.code, result.err.count("\n")) == (2, 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_fifos_and_devices_are_passed_over(project, tmp_path, draw):
    folder = tmp_path / "bags"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(draw(1))
    os.mkfifo(folder / "pipe.jpg")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    path = tmp_path / "more.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("pipe.jpg", tarfile.FIFOTYPE), ("zero.jpg", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
        archive.add(folder / "1.jpg", "2.jpg")

    for source in (folder, path):
        event = project.run("import", source, "--json").event("shop")
        assert (event["new"] + event["duplicates"], event["failed"]) == (1, 0)
    assert project.run("import", folder / "pipe.jpg").code == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_that_a_table_lists_is_counted(project, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "bags.csv").write_text("file\npipe.jpg\n")

    result = project.run("import", tmp_path / "bags.csv", "--json")

    assert result.event("shop")["failed"] == 1


@pytest.mark.parametrize("headers", [{"comment": "x" * 2_000_000}, {"path": "x" * 2_000_000 + ".jpg"}])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_huge_extended_header_is_not_read(project, tmp_path, draw, suffix, headers):
    path = tmp_path / f"bags{suffix}"
    with tarfile.open(path, "w:gz" if suffix == ".tar.gz" else "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("1.jpg")
        info.size = len(draw(1))
        info.pax_headers = headers
        archive.addfile(info, io.BytesIO(draw(1)))

    result = project.run("import", path)

    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "an extended header of 20000" in result.err
