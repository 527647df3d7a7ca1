"""Pictures that you have already, configured so that `collect` imports them too."""

from pathlib import Path
from typing import Literal

from scraper.shop import Shop


class Folder(Shop):
    """`path`: a folder, zip, tar or CSV, as for `import PATH`; `crop`: the half of each picture to take."""

    path: Path
    crop: Literal["", "left-half", "right-half"] = ""
