#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/store.hpp"

namespace palimpsest::testing {

inline crdt::Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

inline storage::Time time(std::int64_t milliseconds) {
  return storage::Time(std::chrono::milliseconds(milliseconds));
}

// An append by client 1, a second of 2026 for each seq.
inline storage::Append entry(std::string document, storage::Seq seq, std::string_view update) {
  storage::Append append;
  append.document = std::move(document);
  append.seq = seq;
  append.at = time(1'790'000'000'000 + static_cast<std::int64_t>(seq) * 1000);
  append.author = {1, ""};
  append.connection = 1;
  append.update = std::make_shared<const crdt::Bytes>(bytes(update));
  return append;
}

inline storage::Append entry_by(storage::Author author, std::string document, storage::Seq seq,
                                std::string_view update) {
  storage::Append append = entry(std::move(document), seq, update);
  append.author = std::move(author);
  return append;
}

inline void append_one(storage::Writer& writer, const storage::Append& append) {
  writer.append({&append, 1});
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What the Error says that the call throws; empty when it throws none.
template <typename Call>
std::string error_of(Call call) {
  try {
    call();
    return "";
  } catch (const storage::Error& error) {
    return error.what();
  }
}

// The updates of a log in order, as text.
inline std::vector<std::string> texts(const std::vector<storage::LogEntry>& log) {
  std::vector<std::string> result;
  for (const storage::LogEntry& entry : log) {
    result.emplace_back(entry.update.begin(), entry.update.end());
  }
  return result;
}

}  // namespace palimpsest::testing
