#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {

struct CachedAuthor {
  std::int64_t id = 0;
  std::string name;
};

// What the writer knows about a document without asking the database.
struct CachedDocument {
  DocumentId id = 0;  // 0: not stored yet
  std::uint64_t generation = 1;
  Seq last_seq = 0;
  Time edited_at;
  std::vector<CachedAuthor> recent;  // the last to have edited first, at most kRecentAuthors
  std::unordered_map<crdt::ClientId, CachedAuthor> authors;  // those met so far

  // Notes that the author has edited. One person with several client ids is kept once.
  void touch(const CachedAuthor& author);
};

// The documents that the writer met lately, by name.
//
// Invariant: at most kCachedRows documents and authors at the start of a batch.
// Home:      the writer's thread.
// Cost:      forgets everything at once when it is full, which is rarer than tracking who is the
//            oldest is dear; references stay valid until then.
class DocumentCache {
 public:
  CachedDocument* find(std::string_view name);
  CachedDocument& add(std::string name, CachedDocument document);
  void forget(std::string_view name);
  void count_author() noexcept { ++authors_; }
  void make_room();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, CachedDocument, Hash, std::equal_to<>> documents_;
  std::size_t authors_ = 0;
};

}  // namespace palimpsest::storage::sqlite
