"""Takedowns leave the catalog, the disk and the next dataset, and never come back."""

import json

import pytest


def originals(project):
    """The sha256 of all originals on disk."""
    return {path.stem for path in (project.path / "shop" / "originals").rglob("*.*")}


@pytest.fixture
def stocked(site, project):
    """A project with ten bags of one shop, and a dataset of them."""
    project.shops(site, "rebag")
    project.run("collect")
    project.run("build")
    return project


@pytest.mark.parametrize("how", ["url", "page", "sha"])
def test_a_forgotten_picture_is_gone_and_never_comes_back(site, stocked, how):
    item = next(item for item in stocked.items() if item["image"].endswith("/5_512x512.jpg"))
    option = {
        "url": ("--url", item["image"]),
        "page": ("--url", item["page"]),
        "sha": ("--sha", item["sha256"]),
    }

    result = stocked.run("forget", *option[how])

    assert result.out.startswith("1 pictures forgotten")
    assert item["sha256"] not in originals(stocked)
    assert stocked.run("collect", "--json").event("shop")["new"] == 0
    assert stocked.run("build", "--json").event("built")["images"] == 9
    assert item["sha256"] not in {other["sha256"] for other in stocked.items()}


def test_a_forgotten_picture_does_not_come_back_by_another_address(site, stocked, draw, tmp_path):
    stocked.run("forget", "--url", f"{site.url}/rebag/img/5_512x512.jpg")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "copy.jpg").write_bytes(draw(5))

    assert stocked.run("import", tmp_path / "folder", "--json").event("shop")["new"] == 0
    assert stocked.run("build", "--json").event("built")["images"] == 9


def test_a_forgotten_shop_is_gone_and_not_collected_again(site, stocked):
    stocked.run("forget", "--shop", "rebag")

    assert originals(stocked) == set()
    assert json.loads(stocked.run("stats", "--json").out)["shops"] == {}
    result = stocked.run("collect", "--json")
    assert "taken down" in result.event("problem")["message"]
    assert stocked.run("build").code == 2
    assert not (stocked.path / "dataset").exists()


def test_what_another_shop_shows_too_stays_when_a_shop_is_forgotten(site, stocked, draw, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "copy.jpg").write_bytes(draw(5))
    stocked.run("import", tmp_path / "mine")

    stocked.run("forget", "--shop", "rebag")
    stocked.run("build")

    assert [item["shop"] for item in stocked.items()] == ["mine"]


@pytest.mark.parametrize("how", ["--url", "--sha"])
def test_a_build_of_nothing_removes_what_was_forgotten(site, project, how):
    site.bags = [1]
    project.shops(site, "rebag")
    project.run("collect")
    project.run("build")
    (item,) = project.items()
    project.run("forget", how, item["image" if how == "--url" else "sha256"])

    result = project.run("build")

    assert result.code == 2
    assert "showed pictures that were taken down, and is removed" in result.err
    assert [path.name for path in project.path.iterdir() if "dataset" in path.name] == []


def test_a_build_of_nothing_leaves_a_dataset_of_other_pictures(site, stocked, tmp_path):
    stocked.configure(f'[scraper.shops.rebag]\nkind = "rebag"\nurl = "{site.url}"\n')
    config = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(config.replace(f"{tmp_path}/shop", f"{tmp_path}/elsewhere"))
    stocked.run("forget", "--url", "http://bags.example/1.jpg")

    assert stocked.run("build").code == 2
    assert len(stocked.items()) == 10


def test_an_import_names_what_was_taken_down(project, draw, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for number in range(4):
        (own / f"{number}.jpg").write_bytes(draw(number))
    project.run("import", own)
    project.run("forget", "--url", (own / "1.jpg").as_uri())
    (own / "copy.jpg").write_bytes(draw(1))

    result = project.run("import", own, "--json")

    message = result.event("problem")["message"]
    assert message.startswith("2 taken down, so not imported: ")
    assert all(name in message for name in ("1.jpg", "copy.jpg"))
    assert (result.code, result.event("shop")["known"]) == (0, 3)
