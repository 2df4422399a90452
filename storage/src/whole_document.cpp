#include "storage/whole_document.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "crdt/error.hpp"
#include "crdt/update.hpp"
#include "log/packer.hpp"
#include "log/segment.hpp"

namespace palimpsest::storage {
namespace {

constexpr std::size_t kRecent = 64;  // more than is shown, since several may be one person
// 9999-12-31T23:59:59.999Z: what can be written as RFC 3339.
constexpr std::int64_t kLastTime = 253'402'300'799'999;

// A few bytes of a segment can stand for a lot of entries; replaying so many takes a minute or two.
constexpr Seq kMostEntries = Seq{1} << 26;

std::string seq_text(Seq seq) { return "entry " + std::to_string(seq) + ": "; }

bool is_time(Time time) {
  const std::int64_t count = time.time_since_epoch().count();
  return count >= 0 && count <= kLastTime;
}

const char* text_of(crdt::Refusal refusal) {
  switch (refusal) {
    case crdt::Refusal::kPendingFull:
      return "too much waits for something missing";
    case crdt::Refusal::kTooManyClients:
      return "too many clients";
    case crdt::Refusal::kTooDeep:
      break;
  }
  return "types are nested too deep";
}

}  // namespace

struct WholeDocumentBuilder::Parts {
  Parts() : packer(1, [this](PackedStretch packed) { whole.log.push_back(std::move(packed)); }) {}

  void note_author(crdt::ClientId client) {
    if (!seen.insert(client).second) return;
    whole.authors.push_back({{client, names[client]}, last_seq});
  }

  void note_sender(crdt::ClientId client) {
    std::vector<crdt::ClientId>& recent = whole.recent;
    if (!recent.empty() && recent.front() == client) return;
    std::erase(recent, client);
    recent.insert(recent.begin(), client);
    recent.resize(std::min(recent.size(), kRecent));
  }

  // All but packing.
  void take(const EntryView& entry) {
    if (last_seq == kMostEntries) {
      throw crdt::DecodeError(0, "more than " + std::to_string(kMostEntries) + " entries");
    }
    if (!is_time(entry.at) || (entry.made_at && !is_time(*entry.made_at))) {
      throw crdt::DecodeError(0, seq_text(last_seq + 1) + "is of a time that cannot be");
    }
    if (entry.author > crdt::kMaxSafeInteger) {
      throw crdt::DecodeError(0, seq_text(last_seq + 1) + "is by a client that cannot be");
    }
    try {
      apply(entry);
    } catch (const crdt::DecodeError& error) {
      throw crdt::DecodeError(error.offset_bytes(), seq_text(last_seq + 1) + error.cause());
    }
    if (last_seq == 1) whole.created_at = entry.at;
    whole.edited_at = entry.at;
  }

  void apply(const EntryView& entry) {
    const crdt::Update update = crdt::Update::decode(entry.update);
    if (const auto refusal = doc.check(update, {})) {
      throw crdt::DecodeError(0, text_of(*refusal));
    }
    doc.apply(update);
    ++last_seq;
    note_author(entry.author);
    note_sender(entry.author);
    for (const crdt::Update::Authored& range : update.authored()) note_author(range.client);
  }

  WholeDocument whole;
  crdt::Doc doc;
  Seq last_seq = 0;
  std::unordered_map<crdt::ClientId, std::string> names;
  std::set<crdt::ClientId> seen;
  log::Packer packer;
};

WholeDocumentBuilder::WholeDocumentBuilder(std::string name, std::uint64_t generation)
    : parts_(std::make_unique<Parts>()) {
  parts_->whole.name = std::move(name);
  parts_->whole.generation = generation;
}
WholeDocumentBuilder::~WholeDocumentBuilder() = default;
WholeDocumentBuilder::WholeDocumentBuilder(WholeDocumentBuilder&&) noexcept = default;
WholeDocumentBuilder& WholeDocumentBuilder::operator=(WholeDocumentBuilder&&) noexcept = default;

void WholeDocumentBuilder::name_client(crdt::ClientId client, std::string name) {
  parts_->names[client] = std::move(name);
}

void WholeDocumentBuilder::add(const EntryView& entry) {
  parts_->take(entry);
  parts_->packer.add(entry);
}

void WholeDocumentBuilder::add_packed(const PackedStretch& stretch) {
  Parts& parts = *parts_;
  if (stretch.first != parts.last_seq + 1 || stretch.last < stretch.first) {
    throw crdt::DecodeError(0, "what comes next is entry " + std::to_string(parts.last_seq + 1) +
                                   ", not " + std::to_string(stretch.first));
  }
  Time earliest = Time::max();
  Time latest = Time::min();
  try {
    log::check_foreign_segment(stretch.bytes, stretch.last - stretch.first + 1);
    log::read_segment(stretch.bytes, stretch.last, stretch.first, stretch.last,
                      [&](const EntryView& entry) {
                        parts.take(entry);
                        earliest = std::min(earliest, entry.at);
                        latest = std::max(latest, entry.at);
                      });
  } catch (const log::Malformed& malformed) {
    throw crdt::DecodeError(0, std::string("the log cannot be read: ") + malformed.what());
  }
  PackedStretch kept = stretch;
  kept.earliest = earliest;
  kept.latest = latest;
  parts.whole.log.push_back(std::move(kept));
}

Seq WholeDocumentBuilder::last_seq() const { return parts_->last_seq; }

const crdt::Doc& WholeDocumentBuilder::document() const { return parts_->doc; }

WholeDocument WholeDocumentBuilder::finish(std::string title, std::string excerpt) && {
  Parts& parts = *parts_;
  if (parts.last_seq == 0) throw crdt::Bug("a whole document without an entry");
  parts.packer.finish();
  Checkpoint& checkpoint = parts.whole.checkpoint;
  checkpoint.document = parts.whole.name;
  checkpoint.seq = parts.last_seq;
  checkpoint.state = parts.doc.encode();
  checkpoint.title = std::move(title);
  checkpoint.excerpt = std::move(excerpt);
  return std::move(parts.whole);
}

}  // namespace palimpsest::storage
