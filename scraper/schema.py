"""The catalog's schema. Triggers keep counts, so `stats` reads a few rows however many pictures there are."""

VERSION = 4

TABLES = """
CREATE TABLE crawls (id INTEGER PRIMARY KEY, shop TEXT NOT NULL, started TEXT NOT NULL, finished TEXT);
CREATE INDEX crawls_open ON crawls (shop) WHERE finished IS NULL;
CREATE TABLE pages (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, url TEXT NOT NULL, first INTEGER NOT NULL DEFAULT 0,
    queued INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,   -- ids of crawls
    stale INTEGER NOT NULL DEFAULT 0,
    etag TEXT, modified TEXT, more TEXT NOT NULL DEFAULT '[]', UNIQUE (shop, url)
);
CREATE INDEX pages_todo ON pages (shop, queued, id) WHERE queued > done;
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,                                     -- also the slot in the file of squares
    sha256 TEXT NOT NULL UNIQUE, suffix TEXT NOT NULL, bytes INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, look BLOB NOT NULL, added TEXT NOT NULL
);
CREATE TABLE items (
    id INTEGER PRIMARY KEY, shop TEXT NOT NULL, image TEXT NOT NULL, url TEXT NOT NULL, page INTEGER,
    crawl INTEGER NOT NULL DEFAULT 0,
    title TEXT NOT NULL, brand TEXT NOT NULL, category TEXT NOT NULL, color TEXT NOT NULL,
    material TEXT NOT NULL, condition TEXT NOT NULL, price TEXT NOT NULL, currency TEXT NOT NULL,
    measured TEXT NOT NULL DEFAULT '',                          -- the color of its pixels: a guess, no tag
    state TEXT NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'kept', 'failed')),
    reason TEXT, transient INTEGER NOT NULL DEFAULT 0, picture INTEGER REFERENCES pictures (id),
    etag TEXT, modified TEXT,                                   -- validators of its picture
    asked REAL NOT NULL DEFAULT 0,                              -- when it was last requested (POSIX)
    first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, UNIQUE (shop, image)
);
CREATE INDEX items_kept ON items (shop, crawl, asked) WHERE state = 'kept';
CREATE INDEX items_wanted ON items (shop, id) WHERE state = 'wanted';
CREATE INDEX items_failed ON items (shop, id) WHERE state = 'failed';
CREATE INDEX items_picture ON items (picture, shop, image);
CREATE INDEX items_page ON items (page);
CREATE INDEX items_url ON items (url);
CREATE INDEX items_image ON items (image);
CREATE TABLE forgotten (
    value TEXT PRIMARY KEY, time TEXT NOT NULL                  -- a URL, a SHA-256, or "shop:NAME"
) WITHOUT ROWID;
CREATE TABLE tally (
    what TEXT NOT NULL, shop TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (what, shop, name)
) WITHOUT ROWID;
CREATE INDEX tally_top ON tally (what, n);
"""


def color_of(row: str) -> str:
    """A row's color: the shop's, or else that of the pixels."""
    return f"COALESCE(NULLIF({row}.color, ''), {row}.measured)"


def counts(row: str) -> list[tuple[str, str, str, str]]:
    """What an item counts toward: (what, shop, name, condition), as SQL on the row NEW or OLD."""
    kept = f"{row}.state = 'kept'"
    tags = {"brand": f"{row}.brand", "category": f"{row}.category", "color": color_of(row)}
    said = [(f"'{tag}'", "''", name, f"{kept} AND {name} != ''") for tag, name in tags.items()]
    guessed = ("'measured'", "''", "'color'", f"{kept} AND {row}.color = '' AND {row}.measured != ''")
    failed = ("'failures'", "''", f"COALESCE({row}.reason, '')", f"{row}.state = 'failed'")
    return [("'state'", f"{row}.shop", f"{row}.state", "TRUE"), *said, guessed, failed]


def plus(row: str) -> str:
    """Statements that add an item to the counts."""
    return "".join(
        f"INSERT INTO tally SELECT {what}, {shop}, {name}, 1 WHERE {when}"
        " ON CONFLICT DO UPDATE SET n = n + 1;\n"
        for what, shop, name, when in counts(row)
    )


def minus(row: str) -> str:
    """Statements that take an item out of the counts."""
    return "".join(
        "UPDATE tally SET n = n - 1"  # noqa: S608  # our own names
        f" WHERE what = {what} AND shop = {shop} AND name = {name} AND {when};\n"
        for what, shop, name, when in counts(row)
    )


def amount(name: str, sign: str, value: str) -> str:
    """A statement that changes a total over all pictures."""
    return (
        f"INSERT INTO tally VALUES ('all', '', '{name}', {sign}{value})"  # noqa: S608  # our own names
        f" ON CONFLICT DO UPDATE SET n = n {sign} {value};\n"
    )


COUNTED = ("state", "reason", "brand", "category", "color", "measured")
CHANGED = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in COUNTED)
ITEM_TRIGGERS = f"""
CREATE TRIGGER items_in AFTER INSERT ON items BEGIN {plus("NEW")} END;
CREATE TRIGGER items_out AFTER DELETE ON items BEGIN {minus("OLD")} END;
CREATE TRIGGER items_change AFTER UPDATE ON items WHEN {CHANGED} BEGIN {minus("OLD")} {plus("NEW")} END;
"""
TRIGGERS = f"""
{ITEM_TRIGGERS}
CREATE TRIGGER pictures_in AFTER INSERT ON pictures BEGIN
    {amount("pictures", "+", "1")} {amount("bytes", "+", "NEW.bytes")}
END;
CREATE TRIGGER pictures_out AFTER DELETE ON pictures BEGIN
    {amount("pictures", "-", "1")} {amount("bytes", "-", "OLD.bytes")}
END;
"""  # our own names

SCHEMA = f"{TABLES}{TRIGGERS}PRAGMA user_version = {VERSION};"

UPGRADE = f"""
ALTER TABLE items ADD COLUMN measured TEXT NOT NULL DEFAULT '';
DROP TRIGGER items_in; DROP TRIGGER items_out; DROP TRIGGER items_change;
UPDATE items SET color = 'gray' WHERE color = 'grey';
UPDATE items SET measured = color, color = '' WHERE state = 'kept' AND color_in_title(title, brand) = ''
    AND color IN ('beige', 'black', 'blue', 'brown', 'gray', 'green', 'orange', 'pink', 'purple', 'red',
                  'white', 'yellow');
UPDATE pages SET etag = NULL, modified = NULL WHERE shop IN (SELECT shop FROM items WHERE measured != '');
DELETE FROM tally WHERE what = 'color';
INSERT INTO tally SELECT 'color', '', {color_of("items")} AS name, COUNT(*) FROM items
    WHERE state = 'kept' AND name != '' GROUP BY name;
INSERT INTO tally SELECT 'measured', '', 'color', COUNT(*) FROM items WHERE measured != '';
{ITEM_TRIGGERS}
PRAGMA user_version = {VERSION};
"""  # noqa: S608  # our own names
"""From version 3, which kept measured colors among the tags.

A color that a picture's title names is a tag; any other could be either. It counts as measured until its
shop says it again: an import does so, and the next crawl, which reads all pages as if they were new.
"""
