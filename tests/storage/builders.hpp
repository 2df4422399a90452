#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/store.hpp"
#include "support/updates.hpp"

namespace palimpsest::testing {

inline crdt::Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

inline storage::Time time(std::int64_t milliseconds) {
  return storage::Time(std::chrono::milliseconds(milliseconds));
}

// An append by client 1 that writes `text`, a second of 2026 for each seq.
inline storage::Append entry(std::string document, storage::Seq seq, std::string_view text) {
  storage::Append append;
  append.document = std::move(document);
  append.seq = seq;
  append.at = time(1'790'000'000'000 + static_cast<std::int64_t>(seq) * 1000);
  append.author = {1, ""};
  append.connection = 1;
  append.update = std::make_shared<const crdt::Bytes>(update_of(seq, text));
  return append;
}

inline storage::Append entry_by(storage::Author author, std::string document, storage::Seq seq,
                                std::string_view text) {
  storage::Append append = entry(std::move(document), seq, text);
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

// What the entries of a log write, in order.
inline std::vector<std::string> texts(const std::vector<storage::LogEntry>& log) {
  std::vector<std::string> result;
  for (const storage::LogEntry& entry : log) {
    result.push_back(text_of(entry.update));
  }
  return result;
}

}  // namespace palimpsest::testing
