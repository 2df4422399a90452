#include "sqlite/document_cache.hpp"

#include <algorithm>

#include "sqlite/limits.hpp"

namespace palimpsest::storage::sqlite {

void CachedDocument::touch(const CachedAuthor& author) {
  const bool is_first = !recent.empty() && recent.front().id == author.id;
  if (is_first && recent.front().name == author.name) return;
  std::erase_if(recent, [&](const CachedAuthor& other) {
    return other.id == author.id || (!author.name.empty() && other.name == author.name);
  });
  recent.insert(recent.begin(), author);
  recent.resize(std::min(recent.size(), kRecentAuthors));
}

CachedDocument* DocumentCache::find(std::string_view name) {
  const auto found = documents_.find(name);
  return found == documents_.end() ? nullptr : &found->second;
}

CachedDocument& DocumentCache::add(std::string name, CachedDocument document) {
  return documents_.insert_or_assign(std::move(name), std::move(document)).first->second;
}

void DocumentCache::forget(std::string_view name) {
  const auto found = documents_.find(name);
  if (found == documents_.end()) return;
  authors_ -= found->second.authors.size();
  documents_.erase(found);
}

void DocumentCache::make_room() {
  if (documents_.size() + authors_ <= kCachedRows) return;
  documents_.clear();
  authors_ = 0;
}

}  // namespace palimpsest::storage::sqlite
