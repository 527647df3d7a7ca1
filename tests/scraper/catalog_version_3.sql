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
CREATE TRIGGER items_in AFTER INSERT ON items BEGIN INSERT INTO tally SELECT 'state', NEW.shop, NEW.state, 1 WHERE TRUE ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'brand', '', NEW.brand, 1 WHERE NEW.state = 'kept' AND NEW.brand != '' ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'category', '', NEW.category, 1 WHERE NEW.state = 'kept' AND NEW.category != '' ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'color', '', NEW.color, 1 WHERE NEW.state = 'kept' AND NEW.color != '' ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'failures', '', COALESCE(NEW.reason, ''), 1 WHERE NEW.state = 'failed' ON CONFLICT DO UPDATE SET n = n + 1;
 END;
CREATE TRIGGER items_out AFTER DELETE ON items BEGIN UPDATE tally SET n = n - 1 WHERE what = 'state' AND shop = OLD.shop AND name = OLD.state AND TRUE;
UPDATE tally SET n = n - 1 WHERE what = 'brand' AND shop = '' AND name = OLD.brand AND OLD.state = 'kept' AND OLD.brand != '';
UPDATE tally SET n = n - 1 WHERE what = 'category' AND shop = '' AND name = OLD.category AND OLD.state = 'kept' AND OLD.category != '';
UPDATE tally SET n = n - 1 WHERE what = 'color' AND shop = '' AND name = OLD.color AND OLD.state = 'kept' AND OLD.color != '';
UPDATE tally SET n = n - 1 WHERE what = 'failures' AND shop = '' AND name = COALESCE(OLD.reason, '') AND OLD.state = 'failed';
 END;
CREATE TRIGGER items_change AFTER UPDATE ON items WHEN OLD.state IS NOT NEW.state OR OLD.reason IS NOT NEW.reason OR OLD.brand IS NOT NEW.brand OR OLD.category IS NOT NEW.category OR OLD.color IS NOT NEW.color BEGIN UPDATE tally SET n = n - 1 WHERE what = 'state' AND shop = OLD.shop AND name = OLD.state AND TRUE;
UPDATE tally SET n = n - 1 WHERE what = 'brand' AND shop = '' AND name = OLD.brand AND OLD.state = 'kept' AND OLD.brand != '';
UPDATE tally SET n = n - 1 WHERE what = 'category' AND shop = '' AND name = OLD.category AND OLD.state = 'kept' AND OLD.category != '';
UPDATE tally SET n = n - 1 WHERE what = 'color' AND shop = '' AND name = OLD.color AND OLD.state = 'kept' AND OLD.color != '';
UPDATE tally SET n = n - 1 WHERE what = 'failures' AND shop = '' AND name = COALESCE(OLD.reason, '') AND OLD.state = 'failed';
 INSERT INTO tally SELECT 'state', NEW.shop, NEW.state, 1 WHERE TRUE ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'brand', '', NEW.brand, 1 WHERE NEW.state = 'kept' AND NEW.brand != '' ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'category', '', NEW.category, 1 WHERE NEW.state = 'kept' AND NEW.category != '' ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'color', '', NEW.color, 1 WHERE NEW.state = 'kept' AND NEW.color != '' ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO tally SELECT 'failures', '', COALESCE(NEW.reason, ''), 1 WHERE NEW.state = 'failed' ON CONFLICT DO UPDATE SET n = n + 1;
 END;
CREATE TRIGGER pictures_in AFTER INSERT ON pictures BEGIN
    INSERT INTO tally VALUES ('all', '', 'pictures', +1) ON CONFLICT DO UPDATE SET n = n + 1;
 INSERT INTO tally VALUES ('all', '', 'bytes', +NEW.bytes) ON CONFLICT DO UPDATE SET n = n + NEW.bytes;

END;
CREATE TRIGGER pictures_out AFTER DELETE ON pictures BEGIN
    INSERT INTO tally VALUES ('all', '', 'pictures', -1) ON CONFLICT DO UPDATE SET n = n - 1;
 INSERT INTO tally VALUES ('all', '', 'bytes', -OLD.bytes) ON CONFLICT DO UPDATE SET n = n - OLD.bytes;

END;
PRAGMA user_version = 3;
