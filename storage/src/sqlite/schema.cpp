#include "sqlite/schema.hpp"

#include <array>
#include <string>

#include "sqlite/listing.hpp"
#include "sqlite/pack_log.hpp"
#include "sqlite/transaction.hpp"

namespace palimpsest::storage::sqlite {
namespace {

// The log is clustered by document: its key is the document's id in the upper 31 bits and the seq
// in the lower 32, from which SQLite derives the columns that people use. Measured against a
// composite primary key (WITHOUT ROWID: entries of 1 to 4 kB fill a page each and double the file)
// and against a row id with an index (15 % larger for small entries, a document's entries
// scattered among all others').
//
// Times are milliseconds since 1970. A checksum is an unsigned number with the same 64 bits.
constexpr const char* kFirst = R"sql(
CREATE TABLE documents (
  id             INTEGER PRIMARY KEY,
  name           TEXT    NOT NULL UNIQUE,
  generation     INTEGER NOT NULL DEFAULT 1,
  last_seq       INTEGER NOT NULL DEFAULT 0,
  created_at_ms  INTEGER NOT NULL,
  edited_at_ms   INTEGER NOT NULL,
  recent_authors TEXT    NOT NULL DEFAULT '[]',  -- JSON: ids, the last to have edited first
  title          TEXT    NOT NULL DEFAULT '',
  excerpt        TEXT    NOT NULL DEFAULT '',
  summary_seq    INTEGER NOT NULL DEFAULT 0      -- what title and excerpt are of
) STRICT;
CREATE INDEX documents_by_edit ON documents (edited_at_ms);

CREATE TABLE authors (
  id             INTEGER PRIMARY KEY,
  document_id    INTEGER NOT NULL REFERENCES documents (id),
  client_id      INTEGER NOT NULL,
  name           TEXT    NOT NULL,               -- the first that was claimed, or empty
  first_seen_seq INTEGER NOT NULL,
  UNIQUE (document_id, client_id)
) STRICT;

CREATE TABLE log (
  position    INTEGER PRIMARY KEY,               -- document_id << 32 | seq
  document_id INTEGER NOT NULL AS (position >> 32) VIRTUAL REFERENCES documents (id),
  seq         INTEGER NOT NULL AS (position & 4294967295) VIRTUAL,
  generation  INTEGER NOT NULL,
  at_ms       INTEGER NOT NULL,
  made_at_ms  INTEGER,                           -- where the client says so: made offline
  author_id   INTEGER NOT NULL REFERENCES authors (id),
  connection  INTEGER NOT NULL,
  checksum    INTEGER NOT NULL,
  bytes       BLOB    NOT NULL                   -- a Yjs update, v1
) STRICT;

CREATE TABLE checkpoints (
  document_id INTEGER PRIMARY KEY REFERENCES documents (id),
  seq         INTEGER NOT NULL,
  generation  INTEGER NOT NULL,
  checksum    INTEGER NOT NULL,
  state       BLOB    NOT NULL                   -- a Yjs update, v1: the log up to seq, merged
) STRICT;
)sql";

// A row of the log has all entries of one document and one commit, and a segment an old stretch of
// the log, packed (log/row.hpp, log/segment.hpp). Both have the seq of their last entry in the key,
// so that what has entry n is the first with a key from n on.
constexpr const char* kSecond = R"sql(
ALTER TABLE log RENAME TO log_1;

CREATE TABLE log (
  position    INTEGER PRIMARY KEY,               -- document_id << 32 | last_seq
  document_id INTEGER NOT NULL AS (position >> 32) VIRTUAL REFERENCES documents (id),
  last_seq    INTEGER NOT NULL AS (position & 4294967295) VIRTUAL,
  generation  INTEGER NOT NULL,
  checksum    INTEGER NOT NULL,
  entries     BLOB    NOT NULL
) STRICT;

CREATE TABLE segments (
  position    INTEGER PRIMARY KEY,               -- likewise
  document_id INTEGER NOT NULL AS (position >> 32) VIRTUAL REFERENCES documents (id),
  last_seq    INTEGER NOT NULL AS (position & 4294967295) VIRTUAL,
  first_seq   INTEGER NOT NULL,
  earliest_ms INTEGER NOT NULL,                  -- of its entries
  latest_ms   INTEGER NOT NULL,
  generation  INTEGER NOT NULL,
  checksum    INTEGER NOT NULL,
  entries     BLOB    NOT NULL
) STRICT;
)sql";

constexpr const char* kThird = R"sql(
-- The index over all documents. What is set by hand …
ALTER TABLE documents ADD COLUMN own_title TEXT;                      -- goes over `title`
ALTER TABLE documents ADD COLUMN deleted_at_ms INTEGER;               -- in the bin since
CREATE TABLE tags (
  document_id INTEGER NOT NULL REFERENCES documents (id),
  tag         TEXT    NOT NULL,
  PRIMARY KEY (document_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_tag ON tags (tag);
CREATE TABLE stars (
  document_id INTEGER NOT NULL REFERENCES documents (id),
  user        TEXT    NOT NULL,                  -- '': everybody
  PRIMARY KEY (document_id, user)
) STRICT, WITHOUT ROWID;
-- … and what is derived from it and from the log: for lists,
ALTER TABLE documents ADD COLUMN title_key TEXT NOT NULL DEFAULT '';  -- what titles are sorted by
ALTER TABLE documents ADD COLUMN list_words TEXT NOT NULL DEFAULT ''; -- of title, name and tags
CREATE INDEX documents_by_title ON documents (title_key);
CREATE INDEX documents_in_bin ON documents (deleted_at_ms) WHERE deleted_at_ms IS NOT NULL;
-- and for searches. Texts are in pieces and words in lists, both packed, and FTS5 has of each row
-- under the same number which words are in it, and no text: what goes is told to it once more.
CREATE TABLE indexed (
  document_id INTEGER PRIMARY KEY REFERENCES documents (id),
  revision    INTEGER NOT NULL DEFAULT 0,        -- of the rows below; rises with each change
  seq         INTEGER NOT NULL DEFAULT 0,        -- what index_texts is of
  past_seq    INTEGER NOT NULL DEFAULT 0,        -- what index_words is of
  activity    BLOB    NOT NULL DEFAULT x''
) STRICT;
CREATE TABLE index_texts (
  position INTEGER PRIMARY KEY,                  -- document_id << 32 | number
  hash     INTEGER NOT NULL,
  bytes    BLOB    NOT NULL
) STRICT;
CREATE TABLE index_words (
  position INTEGER PRIMARY KEY,                  -- likewise
  bytes    BLOB    NOT NULL
) STRICT;
CREATE VIRTUAL TABLE index_now USING fts5 (
  words, content='', columnsize=0,
  tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'");
CREATE VIRTUAL TABLE index_past USING fts5 (
  words, content='', columnsize=0, detail=none,
  tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'");
CREATE VIRTUAL TABLE index_past_words USING fts5vocab (index_past, row);
CREATE TABLE index_rules (version TEXT NOT NULL) STRICT;  -- by which texts became words
INSERT INTO index_rules VALUES ('');

-- Moments with a name.
CREATE TABLE versions (
  document_id INTEGER NOT NULL REFERENCES documents (id),
  name        TEXT    NOT NULL,
  seq         INTEGER NOT NULL,                  -- behind this entry of the log
  named_at_ms INTEGER NOT NULL,
  named_by    TEXT    NOT NULL,                  -- as claimed
  PRIMARY KEY (document_id, name)
) STRICT, WITHOUT ROWID;

-- What was taken out for good: that it was, and not what. By the document's name, since it stays
-- when that goes.
CREATE TABLE purges (
  id        INTEGER PRIMARY KEY,
  name      TEXT    NOT NULL,
  at_ms     INTEGER NOT NULL,
  purged_by TEXT    NOT NULL,                    -- as claimed
  reason    TEXT    NOT NULL,
  units     INTEGER NOT NULL,                    -- UTF-16 units and objects; or entries of the log
  is_whole  INTEGER NOT NULL                     -- the document itself; later ones are of another
) STRICT;
CREATE INDEX purges_by_name ON purges (name);
-- Has a row from a purge on until the database was written anew, without the bytes that it took out.
CREATE TABLE scrub_due (since_ms INTEGER NOT NULL) STRICT;

-- When the whole store was read and compared, and how much was wrong with it.
CREATE TABLE scans (
  id       INTEGER PRIMARY KEY,
  at_ms    INTEGER NOT NULL,
  findings INTEGER NOT NULL
) STRICT;

-- How often the document's log was rewritten.
ALTER TABLE documents ADD COLUMN rewrites INTEGER NOT NULL DEFAULT 0;

-- Retention: after how many days a history is thinned (0 never, NULL as all others), and what was.
ALTER TABLE documents ADD COLUMN history_days INTEGER;
ALTER TABLE documents ADD COLUMN thinned_until INTEGER NOT NULL DEFAULT 0;  -- a seq; 0: never
ALTER TABLE documents ADD COLUMN thinned_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN thinned_days INTEGER NOT NULL DEFAULT 0;

-- Generations (sqlite/generations.hpp). By name, since a document need not be there.
CREATE TABLE former_documents (
  name       TEXT    PRIMARY KEY,
  generation INTEGER NOT NULL                    -- of the last document of this name that is gone
) STRICT, WITHOUT ROWID;
CREATE TABLE lost_clocks (
  name        TEXT    NOT NULL,
  client_id   INTEGER NOT NULL,
  first_clock INTEGER NOT NULL,                  -- given out by an earlier generation only …
  end_clock   INTEGER NOT NULL,                  -- … up to before this one
  PRIMARY KEY (name, client_id)
) STRICT, WITHOUT ROWID;
)sql";

// What opens long histories (storage/history_checkpoint.hpp), derived from the log. It is written
// in pieces: those of the side that is not in use wait for their last one.
constexpr const char* kFourth = R"sql(
CREATE TABLE history_checkpoints (
  document_id INTEGER PRIMARY KEY REFERENCES documents (id),
  seq         INTEGER NOT NULL,
  generation  INTEGER NOT NULL,
  side        INTEGER NOT NULL,                  -- 0 or 1
  checksum    INTEGER NOT NULL                   -- of all its pieces
) STRICT;
CREATE TABLE history_pieces (
  position INTEGER PRIMARY KEY,                  -- document_id << 32 | side << 31 | number
  bytes    BLOB    NOT NULL
) STRICT;
)sql";

constexpr std::array kMigrations{Migration{kFirst}, Migration{kSecond, pack_log_of_version_1},
                                 Migration{kThird, fill_listing}, Migration{kFourth}};

std::int64_t version_of(Connection& connection) {
  return connection.query_integer("PRAGMA user_version");
}

}  // namespace

Migrations migrations() { return kMigrations; }

void check_identity(Connection& connection, Migrations known) {
  if (connection.query_integer("PRAGMA application_id") != kApplicationId) {
    connection.fail(Error::Kind::kUnavailable,
                    "is a database of another program; name another directory, or move it away");
  }
  const std::int64_t version = version_of(connection);
  const auto newest = static_cast<std::int64_t>(known.size());
  if (version < 1 || version > newest) {
    connection.fail(Error::Kind::kUnavailable, "has schema version " + std::to_string(version) +
                                                   ", and this program knows 1 to " +
                                                   std::to_string(newest) +
                                                   "; a newer palimpsest can read it");
  }
}

bool is_up_to_date(Connection& connection, Migrations known) {
  return version_of(connection) == static_cast<std::int64_t>(known.size());
}

void check_version(Connection& connection, Migrations known) {
  check_identity(connection, known);
  if (!is_up_to_date(connection, known)) {
    connection.fail(Error::Kind::kUnavailable,
                    "has an older schema; start the server on it once, which brings it up to date");
  }
}

void migrate(Connection& connection, Migrations known) {
  for (auto version = static_cast<std::size_t>(version_of(connection)); version < known.size();
       ++version) {
    connection.describe("migration to schema version " + std::to_string(version + 1));
    Transaction transaction(connection);
    connection.execute(known[version].sql);
    if (known[version].fill) known[version].fill(connection);
    connection.execute(("PRAGMA user_version = " + std::to_string(version + 1)).c_str());
    connection.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    transaction.commit();
  }
}

}  // namespace palimpsest::storage::sqlite
