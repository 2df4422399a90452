#include "cli/history_writes.hpp"

#include <algorithm>
#include <charconv>
#include <istream>
#include <ostream>
#include <utility>

#include <nlohmann/json.hpp>

#include "cli/api.hpp"
#include "cli/files.hpp"
#include "crdt/reader.hpp"
#include "room/plain_text.hpp"
#include "storage/sqlite_store.hpp"

namespace palimpsest::server::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameCodePoints = 255;

std::string quoted(const std::string& document) {
  return "document \"" + plain_text(document, kNameCodePoints) + "\"";
}

// A server of our own would make a store where there is none.
void check_source(const HistoryWrite& command) {
  if (!crdt::is_utf8(command.document)) throw InputError("the document's name: not UTF-8");
  try {
    storage::open_sqlite_store(command.config.data, storage::Access::kReadOnly);
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

// JSON is UTF-8; what is typed need not be.
void add(Json& body, const char* member, const std::string& text) {
  if (text.empty()) return;
  if (!crdt::is_utf8(text)) throw InputError(std::string(member) + ": not UTF-8");
  body[member] = text;
}

Json json_of(const TextRange& range) { return {{"index", range.index}, {"length", range.length}}; }

Json ask(const HistoryWrite& command, const char* method, const std::string& rest, Json body) {
  check_source(command);
  if (body.is_object()) add(body, "by", command.by);
  try {
    return call_api(command.config, method, document_target(command.document, rest), body);
  } catch (const InputError& error) {
    throw InputError(quoted(command.document) + ": " + error.what());
  }
}

// False: the caller has to say it in words.
bool print_json(const HistoryWrite& command, std::ostream& out, const Json& answer) {
  if (command.json) out << answer.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  return command.json;
}

std::uint64_t number(const Json& answer, const char* member) {
  return answer.at(member).get<std::uint64_t>();
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 16 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Json body_of(const RestoreText& command) {
  Json body = Json::object();
  add(body, "at", command.at);
  add(body, "from", command.from);
  add(body, "to", command.to);
  add(body, "root", command.root);
  if (command.range) body["range"] = json_of(*command.range);
  if (is_number(command.author)) {
    body["author"] = std::stoull(command.author);
  } else {
    add(body, "author", command.author);
  }
  return body;
}

Json body_of(const PurgeHistory& command) {
  Json body = Json::object();
  add(body, "text", command.text);
  if (command.range) body["range"] = json_of(*command.range);
  add(body, "at", command.at);
  add(body, "root", command.root);
  if (command.document_itself) body["document"] = true;
  add(body, "reason", command.reason);
  return body;
}

// --- Purging ---

void check(const PurgeHistory& command) {
  const int said =
      (command.text.empty() ? 0 : 1) + (command.range ? 1 : 0) + (command.document_itself ? 1 : 0);
  if (said != 1) throw UsageError("purge: one of --text, --range and --document");
  if (!command.range && !(command.at.empty() && command.root.empty()))
    throw UsageError("purge: --at and --root go with --range");
}

std::string described(const PurgeHistory& command) {
  if (command.document_itself) return quoted(command.document) + " with all of its history";
  const std::string what = command.range ? "that range" : "that text, wherever it ever stood,";
  return what + " from the whole history of " + quoted(command.document);
}

void confirm(const PurgeHistory& command, const Console& console) {
  if (command.is_confirmed) return;
  if (!console.is_terminal)
    throw UsageError("purge: this cannot be undone, and there is nobody to ask: say --yes");
  console.questions << "This takes " << described(command)
                    << " for good. Nobody can bring it back. Go on? (yes/no) " << std::flush;
  std::string answer;
  std::getline(console.in, answer);
  if (answer != "yes") throw InputError("purge: nothing was done");
}

void print(const PurgeHistory& command, const Json& answer, std::ostream& out) {
  if (command.document_itself) {
    out << quoted(command.document) << " is gone, with "
        << counted(number(answer, "entries"), "change", "changes") << '\n';
    return;
  }
  const std::uint64_t units = number(answer, "units");
  if (units == 0) {
    out << "nothing of it is in the history of " << quoted(command.document) << '\n';
    return;
  }
  out << "took " << counted(units, "unit", "units") << " out of "
      << counted(number(answer, "entries"), "change", "changes") << " of "
      << quoted(command.document) << '\n';
}

}  // namespace

std::optional<TextRange> text_range(std::string_view text) {
  TextRange range;
  const char* end = text.data() + text.size();
  const auto [colon, bad_index] = std::from_chars(text.data(), end, range.index);
  if (bad_index != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [stop, bad_length] = std::from_chars(colon + 1, end, range.length);
  if (bad_length != std::errc() || stop != end || range.length == 0) return std::nullopt;
  return range;
}

void run(const RestoreText& command, std::ostream& out) {
  if (command.at.empty() == command.from.empty())
    throw UsageError(
        "restore-text: either --at, a moment to go back to, or --from, where to begin to take "
        "back");
  const Json answer = ask(command, "POST", "/restore", body_of(command));
  if (print_json(command, out, answer)) return;
  if (answer.at("seq").is_null()) {
    out << "there is nothing to bring back in " << quoted(command.document) << '\n';
  } else {
    out << "change " << number(answer, "seq") << " of " << quoted(command.document) << ": "
        << counted(number(answer, "restored"), "unit", "units") << " brought back, "
        << number(answer, "deleted") << " taken out\n";
  }
  const std::uint64_t lost = number(answer, "lost");
  if (lost > 0)
    out << counted(lost, "unit", "units")
        << " could not be brought back: purged, or replaced since\n";
}

void run(const PurgeHistory& command, const Console& console) {
  check(command);
  check_source(command);
  confirm(command, console);
  const Json answer = ask(command, "POST", "/purge", body_of(command));
  if (!print_json(command, console.out, answer)) print(command, answer, console.out);
  if (answer.value("complete", true)) return;
  console.out << std::flush;
  throw InputError(quoted(command.document) +
                   ": there may be more of it, the search was cut short: purge it again");
}

void run(const NameVersion& command, std::ostream& out) {
  Json body = Json::object();
  add(body, "name", command.name);
  add(body, "at", command.at);
  const Json answer = ask(command, "POST", "/versions", std::move(body));
  if (print_json(command, out, answer)) return;
  out << "change " << number(answer, "seq") << " of " << quoted(command.document)
      << " is v:" << plain_text(command.name, kNameCodePoints) << '\n';
}

void run(const Fork& command, std::ostream& out) {
  Json body = Json::object();
  add(body, "at", command.at);
  add(body, "name", command.name);
  const Json answer = ask(command, "POST", "/fork", std::move(body));
  if (print_json(command, out, answer)) return;
  out << plain_text(answer.at("name").get<std::string>(), kNameCodePoints) << '\n';
}

void run(const Bin& command, std::ostream& out) {
  const Json answer =
      command.is_to_be_in ? ask(command, "DELETE", "", {}) : ask(command, "POST", "/undelete", {});
  if (command.json) {
    out << Json{{"document", command.document}, {"inBin", command.is_to_be_in}}.dump(2) << '\n';
    return;
  }
  out << quoted(command.document) << (command.is_to_be_in ? " is in the bin\n" : " is back\n");
}

}  // namespace palimpsest::server::cli
