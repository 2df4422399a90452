#include "cli/check.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config.hpp"
#include "crdt/reader.hpp"
#include "room/plain_text.hpp"
#include "storage/sqlite_store.hpp"

namespace palimpsest::server::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCauseCodePoints = 1000;

// How much there is. Of a damaged store that cannot tell, nothing: then there are findings.
struct Amount {
  std::size_t documents = 0;
  std::uint64_t updates = 0;
};

Amount amount_in(storage::Reader& reader) {
  constexpr std::size_t kPage = 1000;
  Amount amount;
  try {
    for (std::size_t count = kPage; count == kPage;) {
      const auto page = reader.list(kPage, amount.documents);
      for (const auto& document : page) amount.updates += document.last_seq;
      count = page.size();
      amount.documents += count;
    }
  } catch (const storage::Error& error) {
    if (error.kind() != storage::Error::Kind::kCorrupt) throw;
  }
  return amount;
}

// For one line of a terminal: a damaged store can have anything in it.
std::string printable(std::string text) {
  if (!crdt::is_utf8(text)) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return plain_text(text, kCauseCodePoints);
}

std::string place_of(const storage::Finding& finding) {
  if (finding.document.empty()) return "the database";
  const std::string document = "document \"" + printable(finding.document) + "\"";
  return finding.seq == 0 ? document : document + ", seq " + std::to_string(finding.seq);
}

Json json_of(const storage::Finding& finding) {
  return {{"document", finding.document.empty() ? Json() : Json(finding.document)},
          {"seq", finding.seq == 0 ? Json() : Json(finding.seq)},
          {"cause", finding.cause}};
}

void print(std::ostream& out, const Check& command, const Amount& amount,
           const std::vector<storage::Finding>& findings) {
  if (command.json) {
    Json all = Json::array();
    for (const storage::Finding& finding : findings) all.push_back(json_of(finding));
    const Json answer{
        {"documents", amount.documents}, {"updates", amount.updates}, {"findings", std::move(all)}};
    out << answer.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    return;
  }
  for (const storage::Finding& finding : findings) {
    out << place_of(finding) << ": " << printable(finding.cause) << '\n';
  }
  if (findings.empty()) {
    out << amount.documents << (amount.documents == 1 ? " document, " : " documents, ")
        << amount.updates << (amount.updates == 1 ? " update" : " updates") << ": all well\n";
  }
}

}  // namespace

bool run(const Check& command, std::ostream& out) {
  try {
    const auto store = storage::open_sqlite_store(command.data, storage::Access::kReadOnly);
    const auto reader = store->reader();
    const Amount amount = amount_in(*reader);  // before: what comes meanwhile may not be looked at
    const std::vector<storage::Finding> findings = reader->verify();
    print(out, command, amount, findings);
    return findings.empty();
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace palimpsest::server::cli
