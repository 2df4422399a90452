#include "sqlite/index_rows.hpp"

#include "index/letters.hpp"
#include "index/packed.hpp"
#include "index/words.hpp"
#include "sqlite/position.hpp"

namespace palimpsest::storage::sqlite {

IndexRows::IndexRows(Connection& connection)
    : connection_(connection),
      select_revision_(connection, "SELECT revision FROM indexed WHERE document_id = ?1"),
      update_revision_(connection,
                       "INSERT INTO indexed (document_id, revision) VALUES (?1, ?2) "
                       "ON CONFLICT DO UPDATE SET revision = ?2"),
      update_done_(connection,
                   "UPDATE indexed SET seq = ?2, past_seq = ?3, activity = ?4 "
                   "WHERE document_id = ?1"),
      insert_text_(connection,
                   "INSERT INTO index_texts (position, hash, bytes) VALUES (?1, ?2, ?3)"),
      delete_text_(connection, "DELETE FROM index_texts WHERE position = ?1"),
      insert_words_(connection, "INSERT INTO index_words (position, bytes) VALUES (?1, ?2)"),
      delete_words_(connection, "DELETE FROM index_words WHERE position = ?1"),
      insert_now_(connection, "INSERT INTO index_now (rowid, words) VALUES (?1, ?2)"),
      delete_now_(connection,
                  "INSERT INTO index_now (index_now, rowid, words) VALUES ('delete', ?1, ?2)"),
      insert_past_(connection, "INSERT INTO index_past (rowid, words) VALUES (?1, ?2)"),
      delete_past_(connection,
                   "INSERT INTO index_past (index_past, rowid, words) VALUES ('delete', ?1, ?2)") {}

bool IndexRows::apply(DocumentId document, const IndexStep& step) {
  if (revision_of(document) != step.revision) return false;
  for (const IndexStep::Row& row : step.gone_texts) {
    delete_text_.execute(position(document, row.number));
    delete_now_.execute(position(document, row.number), std::string_view(row.words));
  }
  for (const IndexStep::Row& row : step.gone_words) {
    delete_words_.execute(position(document, row.number));
    delete_past_.execute(position(document, row.number), std::string_view(row.words));
  }
  for (const IndexStep::Row& row : step.new_texts) {
    insert_text_.execute(position(document, row.number), row.hash, crdt::ByteView(row.packed));
    insert_now_.execute(position(document, row.number), std::string_view(row.words));
  }
  for (const IndexStep::Row& row : step.new_words) {
    insert_words_.execute(position(document, row.number), crdt::ByteView(row.packed));
    insert_past_.execute(position(document, row.number), std::string_view(row.words));
  }
  set_revision(document, step.revision + 1);
  if (step.done) {
    update_done_.execute(document, step.done->seq, step.done->past_seq,
                         crdt::ByteView(step.done->activity));
  }
  return true;
}

void IndexRows::drop(DocumentId document) {
  const auto take_out = [&](const char* select, Statement& remove, Statement& remove_words,
                            auto words_of) {
    Statement rows(connection_, select);
    std::vector<std::pair<std::int64_t, std::string>> all;
    {
      Execution row = rows.run(position(document, 0), position(document, kMaxSeq));
      while (row.next()) {
        const auto text = index::unpack(row.blob(1));
        if (!text) connection_.fail(Error::Kind::kCorrupt, "a row of the index is damaged");
        all.emplace_back(row.integer(0), words_of(*text));
      }
    }
    for (const auto& [at, words] : all) {
      remove.execute(at);
      remove_words.execute(at, std::string_view(words));
    }
  };
  take_out("SELECT position, bytes FROM index_texts WHERE position BETWEEN ?1 AND ?2", delete_text_,
           delete_now_, [](const std::string& text) { return index::indexed_words(text); });
  take_out("SELECT position, bytes FROM index_words WHERE position BETWEEN ?1 AND ?2",
           delete_words_, delete_past_, [](const std::string& words) { return words; });
  set_revision(document, revision_of(document) + 1);
  update_done_.execute(document, 0, 0, crdt::ByteView());
  connection_.execute("INSERT INTO index_now (index_now) VALUES ('optimize')");
  connection_.execute("INSERT INTO index_past (index_past) VALUES ('optimize')");
}

void IndexRows::clear() {
  connection_.execute("DELETE FROM index_texts");
  connection_.execute("DELETE FROM index_words");
  connection_.execute("INSERT INTO index_now (index_now) VALUES ('delete-all')");
  connection_.execute("INSERT INTO index_past (index_past) VALUES ('delete-all')");
  connection_.execute("UPDATE indexed SET revision = revision + 1, seq = 0, past_seq = 0");
}

bool IndexRows::follows_the_rules() {
  return connection_.query_text("SELECT version FROM index_rules") == index::rules_version();
}

void IndexRows::note_rules() {
  Statement update(connection_, "UPDATE index_rules SET version = ?1");
  update.execute(std::string_view(index::rules_version()));
}

std::uint64_t IndexRows::revision_of(DocumentId document) {
  Execution row = select_revision_.run(document);
  return row.next() ? row.unsigned_integer(0) : 0;
}

void IndexRows::set_revision(DocumentId document, std::uint64_t revision) {
  update_revision_.execute(document, revision);
}

}  // namespace palimpsest::storage::sqlite
