#include "http/purges.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "crdt/doc.hpp"
#include "crdt/purge.hpp"
#include "history/json.hpp"
#include "http/histories.hpp"
#include "http/history_body.hpp"
#include "http/history_tools.hpp"
#include "http/json_body.hpp"
#include "http/moments.hpp"
#include "http/problem.hpp"
#include "http/reply.hpp"
#include "room/claim.hpp"
#include "room/clock.hpp"
#include "room/journal.hpp"
#include "room/notes.hpp"
#include "storage/history.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using storage::History;
using storage::Seq;

constexpr std::size_t kTextBytes = 10'000;
// A search that goes on for long, since nothing may be missed.
constexpr crdt::WovenText::SearchLimits kThorough{.occurrences = 100'000, .steps = 500'000'000};
// What is found only when something else has gone is found in the next round.
constexpr int kRounds = 8;
// A log that is packed meanwhile is read again.
constexpr int kRewriteTries = 20;

void check(const Json& body) {
  if (const auto whole = body.find("document"); whole != body.end()) {
    const bool is_plain = whole->is_boolean() && whole->get<bool>();
    if (!is_plain) throw Problem(400, "document must be true");
    for (const char* member : {"text", "range", "at", "root", "type"})
      if (body.contains(member)) throw Problem(400, "document goes with by and reason only");
    return;
  }
  const bool is_text = body.contains("text");
  if (is_text == body.contains("range"))
    throw Problem(400,
                  "either text, to be taken out wherever it stood, or a range, or document: true");
  if (is_text && (body.contains("at") || body.contains("root") || body.contains("type")))
    throw Problem(400, "at, root and type go with range");
}

// What is to go, and the edit that deletes what of it is still to be seen.
struct Passage {
  crdt::DeleteSet units;
  std::uint64_t count = 0;
  bool is_complete = true;
  crdt::ClientId client = 0;
  crdt::Bytes deletion;
};

void add(Passage& passage, const std::vector<crdt::Id>& ids,
         const std::vector<std::size_t>& units) {
  for (const std::size_t unit : units) passage.units.append(ids[unit].client, ids[unit].clock, 1);
}

std::vector<crdt::Id> ids_of(const History& history, const History::TextName& text) {
  return history.weave().ids(text.type ? crdt::TypeRef(*text.type) : crdt::TypeRef(text.root));
}

// Every place of every text where it ever stood.
void add_occurrences(History& history, const std::string& phrase, Passage& passage) {
  for (const crdt::Weave::Text& text : history.weave().texts()) {
    const History::TextName name{text.root, text.type};
    const crdt::WovenText& woven = history.text(name);
    const crdt::WovenText::Found found = woven.search(phrase, kThorough);
    passage.is_complete = passage.is_complete && found.complete;
    if (found.occurrences.empty()) continue;
    const std::vector<crdt::Id> ids = ids_of(history, name);
    for (const auto& occurrence : found.occurrences)
      for (const auto& span : occurrence.spans)
        add(passage, ids, woven.units_of(occurrence, span, phrase));
  }
}

// What stands in the bytes and was never to be seen, or is no text.
void add_values(const std::string& document, storage::Reader& reader, const std::string& phrase,
                Passage& passage) {
  reader.visit(document, 1, ~Seq{0}, [&](const storage::EntryView& entry) {
    const crdt::DeleteSet found = crdt::units_containing(entry.update, phrase);
    for (const auto& [client, ranges] : found.clients())
      for (const auto& range : ranges) passage.units.append(client, range.clock, range.length);
  });
}

void add_range(History& history, const Json& body, Passage& passage) {
  const Seq at = moment_member_or_now(history, body, "at");
  const crdt::Transaction::Range range = *range_of(body);
  const std::optional<NamedType> named = type_of(body);
  const History::TextName name = looking_for("root", [&] {
    return named ? History::TextName{named->root, named->item} : history.main_text();
  });
  const crdt::WovenText& text =
      *looking_for(name.type ? "type" : "root", [&] { return &history.text(name); });
  std::vector<std::size_t> units;
  std::size_t index = 0;
  for (std::size_t unit = 0; unit < text.size() && units.size() < range.length_utf16; ++unit) {
    if (text.shows(unit, at) && index++ >= range.index_utf16) units.push_back(unit);
  }
  if (units.size() < range.length_utf16)
    throw Problem(400, "range: the text was not as long as that then");
  add(passage, ids_of(history, name), units);
}

Passage passage_of(History& history, storage::Reader& reader, const std::string& document,
                   const Json& body, const Random& random) {
  Passage passage;
  if (body.contains("text")) {
    const std::string phrase = text_of_member(body, "text", kTextBytes);
    add_occurrences(history, phrase, passage);
    add_values(document, reader, phrase, passage);
  } else {
    add_range(history, body, passage);
  }
  passage.units.normalize();
  for (const auto& [client, ranges] : passage.units.clients())
    for (const auto& range : ranges) passage.count += range.length;
  passage.client = new_restorer(history, random);
  crdt::Doc replica = history.weave().replica();
  passage.deletion = replica.transact(passage.client, [&](crdt::Transaction& edit) {
    edit.undo({.inserted = passage.units, .deleted = {}});
  });
  return passage;
}

storage::Rewriter without(const crdt::DeleteSet& gone) {
  const auto change = [gone](crdt::ByteView update) -> std::optional<crdt::Bytes> {
    crdt::Bytes other = crdt::without_content(update, gone);
    if (std::ranges::equal(other, update)) return std::nullopt;
    return other;
  };
  const auto change_entry =
      [change](const storage::EntryView& entry) -> std::optional<storage::ChangedEntry> {
    auto other = change(entry.update);
    if (!other) return std::nullopt;
    return storage::ChangedEntry{entry.at, entry.made_at, std::move(*other)};
  };
  return {.entry = change_entry, .checkpoint = change};
}

Problem no_such_document() { return {404, "there is no such document"}; }
Problem not_in_bin() {
  return {409, "the document is not in the bin: only one that is can be purged as a whole"};
}
Problem changes_just_now() { return {503, "the document changes just now; ask again later"}; }

// Done again after a full disk, it may find its own work.
std::function<void(storage::Writer&)> removal_of(
    std::shared_ptr<const std::optional<storage::Removal>> prepared, storage::Purge note,
    std::shared_ptr<storage::Removed> removed) {
  const auto attempts = std::make_shared<int>(0);
  return [prepared = std::move(prepared), note = std::move(note), removed = std::move(removed),
          attempts](storage::Writer& writer) {
    const bool is_first = ++*attempts == 1;
    *removed = writer.remove(**prepared, note);
    if (!is_first && *removed == storage::Removed::kNoSuchDocument)
      *removed = storage::Removed::kDone;
  };
}

}  // namespace

asio::awaitable<Response> Purges::purge(std::string document, Request request) {
  const Json body =
      json_body(request, {"text", "at", "root", "type", "range", "document", "by", "reason"});
  check(body);
  const storage::Purge note{.at = tools_.clock.wall(),
                            .by = person_of(body),
                            .reason = text_member_or_empty(body, "reason", kReasonBytes),
                            .is_whole = body.contains("document")};
  if (note.is_whole) co_return co_await purge_document(std::move(document), note);
  co_return co_await purge_passage(std::move(document), body, note);
}

asio::awaitable<Response> Purges::purge_passage(std::string document, const Json& body,
                                                storage::Purge note) {
  Json seq = nullptr;
  std::uint64_t units = 0;
  std::size_t entries = 0;
  bool is_complete = false;
  for (int round = 0; round < kRounds; ++round) {
    auto look = [&](History& history, storage::Reader& reader) {
      return passage_of(history, reader, document, body, tools_.random);
    };
    Passage passage = co_await tools_.histories.look_with_reader(document, look);
    if (passage.count == 0) {
      is_complete = passage.is_complete;
      break;
    }
    if (!passage.deletion.empty()) {
      Edit edit{.document = document,
                .update = std::move(passage.deletion),
                .authors = {{passage.client, note.by}}};
      const Edited edited = co_await tools_.take(std::move(edit));
      seq = edited.seq;
    }
    note.units = passage.count;
    entries += co_await rewrite(document, std::move(passage.units), note);
    units += passage.count;
    // A range is of a moment that is not there any more.
    is_complete = body.contains("range");
    if (is_complete) break;
  }
  co_await scrub("the passage");
  co_return json_response(
      200, {{"seq", seq}, {"units", units}, {"entries", entries}, {"complete", is_complete}});
}

asio::awaitable<Response> Purges::purge_document(std::string document, storage::Purge note) {
  if (tools_.journal.is_stalled()) throw nothing_is_saved_now();
  const auto find = [&document](storage::Reader& reader) { return reader.find(document, ""); };
  const std::optional<storage::DocumentSummary> there = co_await tools_.histories.ask(find);
  if (!there) throw no_such_document();
  if (!there->deleted_at) throw not_in_bin();
  co_await remove(document, note);
  co_await tools_.histories.forget(document);
  co_await scrub("the document");
  co_return json_response(200, {{"document", true}, {"entries", note.units}});
}

// With its name held, nobody begins the next document of that name before this one is gone.
asio::awaitable<void> Purges::remove(std::string document, storage::Purge& note) {
  const Claim claim = co_await claim_in_bin(tools_.directory, document);
  if (claim.outcome() == Claim::Outcome::kNotInBin) throw not_in_bin();
  if (claim.outcome() != Claim::Outcome::kHeld) throw changes_just_now();
  const auto look = [&document](storage::Reader& reader) {
    return std::make_shared<const std::optional<storage::Removal>>(
        reader.prepare_removal(document));
  };
  const auto prepared = co_await tools_.histories.ask(look);
  if (!*prepared) throw no_such_document();
  note.units = (*prepared)->last_seq;
  const auto removed = std::make_shared<storage::Removed>(storage::Removed::kChanged);
  const std::function<void(storage::Writer&)> work = removal_of(prepared, note, removed);
  co_await tools_.write(work);
  if (*removed == storage::Removed::kNoSuchDocument) throw no_such_document();
  if (*removed == storage::Removed::kNotInBin) throw not_in_bin();
  if (*removed == storage::Removed::kChanged) throw changes_just_now();
}

asio::awaitable<Response> Purges::list(std::string document) {
  const auto look = [&document](storage::Reader& reader) {
    std::vector<storage::Purge> purges = reader.purges(document);
    if (purges.empty() && !reader.find(document, "")) throw no_such_document();
    return purges;
  };
  const std::vector<storage::Purge> purges = co_await tools_.histories.ask(look);
  co_return json_response(200, {{"purges", purges_json(purges)}});
}

// Answers how many entries of the log have changed.
asio::awaitable<std::size_t> Purges::rewrite(std::string document, crdt::DeleteSet gone,
                                             storage::Purge note) {
  for (int tries = 0; tries < kRewriteTries; ++tries) {
    auto prepare = [&](History&, storage::Reader& reader) {
      return std::make_shared<const std::optional<storage::LogRewrite>>(
          reader.prepare_rewrite(document, without(gone)));
    };
    const auto prepared = co_await tools_.histories.look_with_reader(document, prepare);
    if (!*prepared) throw no_such_document();
    const auto is_done = std::make_shared<bool>(false);
    const std::function<void(storage::Writer&)> work = [prepared, is_done,
                                                        note](storage::Writer& writer) {
      *is_done = writer.rewrite(**prepared, note);
    };
    co_await tools_.write(work);
    if (*is_done) co_return (*prepared)->entries_changed;
  }
  throw Problem(503, "the document is written to so much that its log cannot be; ask again later");
}

// On a full disk the journal opens the store anew and asks again: then edits go before.
asio::awaitable<void> Purges::scrub(const char* what) {
  const auto attempts = std::make_shared<int>(0);
  const auto is_done = std::make_shared<bool>(false);
  const std::function<void(storage::Writer&)> work = [attempts, is_done](storage::Writer& writer) {
    if (++*attempts == 1) *is_done = writer.scrub();
  };
  co_await tools_.write(work);
  if (!*is_done) {
    throw Problem(503, std::string(what) +
                           " is gone, but its bytes stay in the store's files: there is no room "
                           "for a copy of it, or somebody reads from it for long; they go when "
                           "something is purged next, or the server starts");
  }
}

}  // namespace palimpsest::server::http
