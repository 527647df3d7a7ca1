"""Pictures that one already has, named in the config so that `collect` looks there too."""

from pathlib import Path
from typing import Literal

from scraper.shop import Shop


class Folder(Shop):
    """`path`: a folder, zip, tar or CSV, as for `import PATH`."""

    path: Path
    crop: Literal["", "left-half", "right-half"] = ""
