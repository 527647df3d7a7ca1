"""Importing a folder of pictures that you have already."""

import json
import shutil

import pytest


@pytest.fixture
def folder(tmp_path, draw):
    """Four bags, one of them deep down, with a table of tags beside the folder."""
    bags = tmp_path / "bags"
    (bags / "more" / "deep").mkdir(parents=True)
    for number, name in enumerate(["one.jpg", "two.png", "more/three.jpg", "more/deep/Ünïcode bag.jpg"]):
        (bags / name).write_bytes(draw(number, "PNG" if name.endswith("png") else "JPEG"))
    (tmp_path / "bags.csv").write_text(
        'file,title,brand,category,color\nbags/one.jpg,"Speedy, 30",Louis Vuitton,Handbags,Brown\n'
        "bags/more/three.jpg,Baguette,Fendi,Clutches,Red\nbags/gone.jpg,Gone,,,\n"
    )
    return bags


def test_a_folder_is_read_to_its_depths_with_the_tags_beside_it(project, folder):
    event = project.run("import", folder, "--json").event("shop")
    project.run("build")

    assert (event["shop"], event["new"], event["failed"]) == ("bags", 4, 0)
    by_name = {item["image"].rpartition("/")[2]: item for item in project.items()}
    assert (by_name["one.jpg"]["title"], by_name["one.jpg"]["brand"]) == ("Speedy, 30", "Louis Vuitton")
    assert by_name["three.jpg"]["color"] == "red"
    assert by_name["two.png"]["title"] == ""


def test_the_table_may_be_inside_the_folder(project, folder):
    (folder / "tags.csv").write_text("file,title\none.jpg,Speedy\n")

    project.run("import", folder)
    project.run("build")

    assert "Speedy" in {item["title"] for item in project.items()}


def test_a_csv_imports_the_files_it_names(project, folder, tmp_path):
    event = project.run("import", tmp_path / "bags.csv", "--json")

    assert (event.event("shop")["new"], event.event("shop")["failed"]) == (2, 1)
    assert "No such file" in event.event("problem")["message"]


def test_a_second_import_adds_what_is_new_or_has_changed(project, folder, draw):
    project.run("import", folder)
    (folder / "five.jpg").write_bytes(draw(5))
    (folder / "one.jpg").write_bytes(draw(6))

    event = project.run("import", folder, "--json").event("shop")
    project.run("build")

    assert (event["new"], event["known"]) == (2, 3)
    assert len(project.items()) == 5


def test_originals_are_kept_as_they_came(project, folder, tmp_path):
    project.run("import", folder)
    project.run("build")

    for item in project.items():
        (original,) = (tmp_path / "shop" / "originals").rglob(f"{item['sha256']}.*")
        assert original.read_bytes() in {
            file.read_bytes() for file in folder.rglob("*.*") if file.suffix != ".csv"
        }


@pytest.mark.parametrize("size", [128, 50])
def test_another_size_needs_no_other_import(project, folder, size):
    project.run("import", folder)
    project.configure(f"image_size = {size}")
    shutil.rmtree(folder)

    built = project.run("build", "--json").event("built")

    assert (built["images"], built["image_size"]) == (4, size)
    assert project.images().shape == (4, size, size, 3)


@pytest.mark.parametrize(
    ("longest", "more", "size"),
    [
        ([127, 127, 128, 300], "", 128),  # half of them are large
        ([80, 127, 127, 300], "", 64),
        ([300, 300], "originals = false", 64),
        ([300, 300], "image_size = 32", 32),
    ],
)
def test_pictures_are_no_larger_than_most_originals(project, tmp_path, draw, longest, more, size):
    (tmp_path / "bags").mkdir()
    for number, length in enumerate(longest):
        (tmp_path / "bags" / f"{number}.png").write_bytes(draw(number, "PNG", (length, length * 3 // 4)))
    project.configure(more)
    project.run("import", tmp_path / "bags")

    built = project.run("build", "--json").event("built")

    assert (built["images"], built["image_size"]) == (len(longest), size)
    assert project.images().shape == (len(longest), size, size, 3)
    assert project.manifest()["image_size"] == size
    assert project.run("verify").code == 0


def test_squares_that_are_too_large_are_averaged(project, folder):
    project.configure("image_size = 128")
    project.run("import", folder)
    project.run("build")
    large = project.images().astype(int)
    project.configure("")
    shutil.rmtree(folder)

    project.run("build")

    sums = large.reshape(4, 64, 2, 64, 2, 3).sum(axis=(2, 4))
    assert (project.images() == (sums + 2) // 4).all()


def test_a_catalog_with_small_squares_makes_large_pictures(project, tmp_path, draw):
    (tmp_path / "bags").mkdir()
    (tmp_path / "bags" / "bag.png").write_bytes(draw(1, "PNG", (400, 300)))
    project.configure("image_size = 64")  # the default of older versions
    project.run("import", tmp_path / "bags")
    project.configure("")

    assert project.run("build", "--json").event("built")["image_size"] == 128


def test_without_originals_the_squares_still_make_a_dataset(project, folder, tmp_path):
    project.configure("originals = false")
    project.run("import", folder)

    assert project.run("build", "--json").event("built")["images"] == 4
    assert not (tmp_path / "shop" / "originals").exists()


def test_a_folder_of_nothing_but_rubbish_is_code_2(project, tmp_path):
    (tmp_path / "rubbish").mkdir()
    (tmp_path / "rubbish" / "bag.jpg").write_text("no picture")

    result = project.run("import", tmp_path / "rubbish", "--json")

    assert result.code == 2
    assert "1 not a picture" in result.event("problem")["message"]


def test_an_empty_folder_is_one_line_and_code_2(project, tmp_path):
    (tmp_path / "empty").mkdir()

    result = project.run("import", tmp_path / "empty")

    assert (result.code, result.err) == (2, f"no pictures in {tmp_path}/empty\n")


def test_a_reader_keeps_the_dataset_it_has_open(project, folder, draw):
    project.run("import", folder)
    project.run("build")
    images = project.images()
    before = images.tobytes()
    (folder / "five.jpg").write_bytes(draw(5))
    project.run("import", folder)
    project.run("build")

    assert images.tobytes() == before
    assert len(project.images()) == 5


def test_a_build_that_died_between_two_renames_is_repaired(project, folder, tmp_path):
    project.run("import", folder)
    project.run("build")
    (tmp_path / "dataset").rename(tmp_path / ".dataset.old")
    (tmp_path / ".dataset-half.part").mkdir()

    project.run("stats")

    assert len(project.items()) == 4
    assert not (tmp_path / ".dataset-half.part").exists()
    assert not (tmp_path / ".dataset.old").exists()


def test_the_same_pictures_are_the_same_dataset_in_any_order(project, folder, tmp_path):
    project.run("import", folder)
    first = project.run("build", "--json").event("built")["content_hash"]
    shutil.rmtree(tmp_path / "shop")
    for name in ("two.png", "one.jpg"):
        (folder / "more" / name).write_bytes((folder / name).read_bytes())
    project.run("import", folder / "more")
    shutil.rmtree(tmp_path / "shop")
    for name in ("two.png", "one.jpg"):
        (folder / "more" / name).unlink()
    project.run("import", folder)

    assert project.run("build", "--json").event("built")["content_hash"] == first


def test_stats_count_by_shop_brand_and_reason(project, folder):
    (folder / "rubbish.jpg").write_text("no picture")
    project.run("import", folder)

    stats = json.loads(project.run("stats", "--json").out)

    assert stats["pictures"] == 4
    assert stats["shops"] == {"bags": {"kept": 4, "wanted": 0, "failed": 1}}
    assert stats["brand"] == {"Louis Vuitton": 1, "Fendi": 1}
    assert stats["failures"] == {"not a picture": 1}
    assert "Louis Vuitton" in project.run("stats").out
