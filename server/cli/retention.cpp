#include "cli/retention.hpp"

#include <charconv>
#include <ostream>

#include <nlohmann/json.hpp>

#include "cli/api.hpp"
#include "room/plain_text.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameCodePoints = 255;

std::string rule_text(const Json& days) {
  if (days.is_null()) return "as the server's setting says (--history-days)";
  if (days == 0) return "its history is kept for ever";
  return "history older than " + counted(days, "day", "days") + " is thinned to bursts";
}

}  // namespace

std::optional<std::uint32_t> parse_days(std::string_view text) {
  std::uint32_t days = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, days);
  if (error != std::errc() || stop + 1 != end || *stop != 'd' || days > storage::kMostDays)
    return std::nullopt;
  return days;
}

void run(const Thin& command, std::ostream& out) {
  const Json done = call_api(command.config, "POST", document_target(command.document, "/thin"),
                             {{"olderThanDays", command.days}, {"dryRun", command.dry_run}});
  if (command.json) {
    out << done.dump(2) << '\n';
    return;
  }
  out << plain_text(command.document, kNameCodePoints) << ": ";
  if (done["until"].is_null()) {
    out << "nothing to thin that is older than " << counted(done["days"], "day", "days") << '\n';
    return;
  }
  out << counted(done["entries"], "entry", "entries") << " up to change " << done["until"]
      << (command.dry_run ? " would become " : " became ")
      << counted(done["bursts"], "burst", "bursts") << ", "
      << counted(done["emptied"], "of them empty", "of them empty") << ": " << done["bytesBefore"]
      << " bytes of the log " << (command.dry_run ? "would be " : "are now ") << done["bytesAfter"]
      << '\n';
}

void run(const RetentionCommand& command, std::ostream& out) {
  const std::string target = document_target(command.document, "");
  Json answer;
  if (command.days) {
    Json body = Json::object();
    body["historyDays"] = *command.days ? Json(**command.days) : Json();
    answer = call_api(command.config, "PATCH", target, body);
  } else {
    answer = call_api(command.config, "GET", target, Json::object());
  }
  const Json days = answer["historyDays"];
  if (command.json) {
    out << Json({{"document", command.document}, {"historyDays", days}}).dump(2) << '\n';
  } else {
    out << plain_text(command.document, kNameCodePoints) << ": " << rule_text(days) << '\n';
  }
}

}  // namespace palimpsest::server::cli
