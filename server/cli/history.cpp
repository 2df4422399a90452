#include "cli/history.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/files.hpp"
#include "config.hpp"
#include "crdt/reader.hpp"
#include "history/json.hpp"
#include "history/unified_diff.hpp"
#include "room/plain_text.hpp"
#include "storage/sqlite_store.hpp"

namespace palimpsest::server::cli {
namespace {

using Json = nlohmann::ordered_json;
using crdt::WovenText;
using storage::format_time;
using storage::History;

constexpr std::size_t kNameCodePoints = 40;
constexpr std::size_t kVersionCodePoints = 255;
constexpr std::size_t kReasonCodePoints = 1000;
const std::string kBeforeAll = "before all";

void print(std::ostream& out, const Json& json) {
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

// A store that is only read, and what it says of documents.
class Archive {
 public:
  explicit Archive(const std::filesystem::path& data)
      : data_(data),
        store_(storage::open_sqlite_store(data, storage::Access::kReadOnly)),
        reader_(store_->reader()) {}

  History history(const std::string& document) {
    History history(document);
    if (!history.catch_up(*reader_)) throw no_such(document);
    return history;
  }

  // Also of a document that is gone.
  std::vector<storage::Purge> purges(const std::string& document) {
    std::vector<storage::Purge> purges = reader_->purges(document);
    if (purges.empty() && !reader_->find(document, "")) throw no_such(document);
    return purges;
  }

  // Documents that may have said it.
  storage::Candidates candidates(const std::string& text) { return reader_->find_candidates(text); }

 private:
  InputError no_such(const std::string& document) const {
    return InputError("document \"" + document + "\": there is none of that name in " +
                      data_.string());
  }

  std::filesystem::path data_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Reader> reader_;
};

// What does not fit the store is the operator's, what does not fit a document the caller's mistake.
template <class Command>
void with_archive(const HistorySource& source, Command&& command) {
  try {
    Archive archive(source.data);
    command(archive);
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

template <class Command>
void with_history(const HistorySource& source, Command&& command) {
  with_archive(source, [&](Archive& archive) {
    History history = archive.history(source.document);
    try {
      command(history);
    } catch (const std::invalid_argument& error) {
      throw InputError(error.what());
    } catch (const storage::NotInHistory& error) {
      throw InputError("document \"" + source.document + "\": " + error.what());
    }
  });
}

History::TextName text_name(const HistorySource& source, const History& history) {
  return source.root.empty() ? history.main_text() : History::TextName{source.root, std::nullopt};
}

std::string author(const History& history, crdt::ClientId client) {
  const std::string name = plain_text(history.name_of(client), kNameCodePoints);
  // An update that only deletes, from a connection that never said who it is.
  if (client == 0 && name.empty()) return "somebody";
  return name.empty() ? "client " + std::to_string(client) : name;
}

std::string thinned_text(const storage::Thinned& thinned) {
  return "changes up to " + std::to_string(thinned.until) + " were thinned to bursts on " +
         format_time(thinned.at) + ", being older than " + counted(thinned.days, "day", "days");
}

std::string authors(const History& history, const std::vector<History::Share>& shares) {
  std::string all;
  for (const History::Share& share : shares) {
    all += (all.empty() ? "" : ", ") + author(history, share.client);
  }
  return all;
}

std::string length_of(const History::Burst& burst) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(burst.end - burst.begin).count();
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

void print_burst(std::ostream& out, const History& history, const History::Burst& burst) {
  std::uint64_t inserted = 0;
  std::uint64_t deleted = 0;
  for (const History::Share& share : burst.shares) {
    inserted += share.inserted;
    deleted += share.deleted;
  }
  out << format_time(burst.begin) << "  " << burst.first << '-' << burst.last << "  "
      << length_of(burst) << "  " << authors(history, burst.shares) << "  +" << inserted << " -"
      << deleted;
  if (!burst.place.empty()) out << "  # " << plain_text(burst.place, 200);
  out << '\n';
}

// The pieces of a run between line ends; `|` where one begins a line of the text, `+` where it goes
// on in one.
void print_blame(std::ostream& out, const History& history,
                 const std::vector<WovenText::Blame>& runs) {
  char sign = '|';
  for (const WovenText::Blame& run : runs) {
    const std::string who = author(history, run.inserted.client) + "  " +
                            format_time(history.time_of(run.inserted.first)) + "  " +
                            std::to_string(run.inserted.first) + '-' +
                            std::to_string(run.inserted.last) + "  ";
    std::string_view rest = run.text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out << who << sign << ' ' << rest.substr(0, end) << '\n';
      sign = end < rest.size() ? '|' : '+';
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

void print_occurrence(std::ostream& out, const History& history, const std::string& document,
                      const WovenText::Occurrence& occurrence) {
  for (const WovenText::Occurrence::Span& span : occurrence.spans) {
    out << document << "  from " << format_time(history.time_of(span.from)) << " (" << span.from
        << ", " << author(history, span.completed_by) << ')';
    if (span.until == WovenText::kNever) {
      out << "  still there";
    } else {
      out << " until " << format_time(history.time_of(span.until)) << " (" << span.until << ", "
          << author(history, span.ended_by) << ')';
    }
    out << '\n';
  }
}

Json found_json(const History& history, const std::string& document, const History::TextName& text,
                const WovenText::Found& found) {
  return {{"document", document},
          {"text", text_name_json(text)},
          {"complete", found.complete},
          {"occurrences", occurrences_json(history, found.occurrences)}};
}

// Every text of the document, or the one root that is asked for.
void search_in(History& history, const HistorySearch& command, const std::string& document,
               std::ostream& out, Json& all) {
  std::vector<History::TextName> texts;
  if (command.root.empty()) {
    for (const auto& text : history.weave().texts()) texts.push_back({text.root, text.type});
  } else {
    texts.push_back({command.root, std::nullopt});
  }
  for (const History::TextName& name : texts) {
    const WovenText::Found found = history.text(name).search(command.words);
    if (found.occurrences.empty() && found.complete) continue;
    all.push_back(found_json(history, document, name, found));
    if (command.json) continue;
    for (const auto& one : found.occurrences) {
      print_occurrence(out, history, plain_text(document, 255), one);
    }
    if (!found.complete) out << plain_text(document, 255) << "  and perhaps more\n";
  }
}

}  // namespace

void run(const HistoryLog& command, std::ostream& out, std::ostream& notes) {
  with_history(command, [&](History& history) {
    if (history.thinned()) notes << "palimpsest: " << thinned_text(*history.thinned()) << '\n';
    const auto group = command.sittings ? History::Group::kSitting : History::Group::kBurst;
    const auto bursts = history.timeline(group, history.last_seq() + 1, command.limit);
    if (command.json) {
      print(out, {{"document", command.document},
                  {"seq", history.last_seq()},
                  {"thinned", thinned_json(history)},
                  {"bursts", timeline_json(history, bursts)}});
      return;
    }
    for (const History::Burst& burst : bursts) print_burst(out, history, burst);
  });
}

void run(const HistoryShow& command, std::ostream& out, std::ostream& notes) {
  with_history(command, [&](History& history) {
    const History::Moment moment = history.look_up(command.at);
    const storage::Seq at = moment.seq;
    if (moment.is_thinned()) {
      notes << "palimpsest: change " << moment.asked << " is within a burst, of which "
            << "only the end is kept; this is change " << at << ": "
            << thinned_text(*history.thinned()) << '\n';
    }
    const History::TextName name = text_name(command, history);
    const auto texts = history.weave().texts();
    const bool is_text = std::any_of(texts.begin(), texts.end(), [&](const auto& text) {
      return !text.type && text.root == name.root;
    });
    std::string content;
    if (is_text) {
      content = history.text(name).text(at);
    } else {
      history.text(name);  // refuses a root that the document never had
      content = root_json(history.weave().doc().at(history.weave().snapshot(at)), name.root);
    }
    if (!command.json) {
      out << content << (is_text ? "" : "\n");
      return;
    }
    print(out, {{"document", command.document},
                {"root", name.root},
                {"at", at},
                {"asked", moment.asked},
                {"time", at == 0 ? Json() : Json(format_time(history.time_of(at)))},
                {"content", is_text ? Json(content) : Json::parse(content)}});
  });
}

void run(const HistoryDiff& command, std::ostream& out) {
  with_history(command, [&](History& history) {
    const storage::Seq from = history.resolve(command.from);
    const storage::Seq to = history.resolve(command.to);
    const History::TextName name = text_name(command, history);
    const auto changes = history.text(name).diff(from, to, history.groups());
    if (command.json) {
      print(out, {{"document", command.document},
                  {"text", text_name_json(name)},
                  {"from", from},
                  {"to", to},
                  {"runs", diff_json(history, changes)}});
      return;
    }
    const std::string label = plain_text(command.document, 255) + "@";
    out << unified_diff(changes, label + std::to_string(from), label + std::to_string(to));
  });
}

void run(const HistoryBlame& command, std::ostream& out) {
  with_history(command, [&](History& history) {
    const storage::Seq at = command.at.empty() ? history.last_seq() : history.resolve(command.at);
    const History::TextName name = text_name(command, history);
    const auto runs = history.text(name).blame(at, history.groups());
    if (command.json) {
      print(out, {{"document", command.document},
                  {"text", text_name_json(name)},
                  {"at", at},
                  {"runs", blame_json(history, runs)}});
      return;
    }
    print_blame(out, history, runs);
  });
}

void run(const HistoryVersions& command, std::ostream& out) {
  with_history(command, [&](History& history) {
    if (command.json) {
      print(out, {{"document", command.document}, {"versions", versions_json(history)}});
      return;
    }
    for (const storage::Version& version : history.versions()) {
      out << (version.seq == 0 ? kBeforeAll : format_time(history.time_of(version.seq))) << "  "
          << version.seq << "  v:" << plain_text(version.name, kVersionCodePoints);
      if (!version.named_by.empty())
        out << "  by " << plain_text(version.named_by, kNameCodePoints);
      out << '\n';
    }
  });
}

void run(const HistoryPurges& command, std::ostream& out) {
  with_archive(command, [&](Archive& archive) {
    const std::vector<storage::Purge> purges = archive.purges(command.document);
    if (command.json) {
      print(out, {{"document", command.document}, {"purges", purges_json(purges)}});
      return;
    }
    for (const storage::Purge& purge : purges) {
      out << format_time(purge.at) << "  "
          << (purge.is_whole ? "the document, changes: " : "units: ") << purge.units << "  by "
          << (purge.by.empty() ? "somebody" : plain_text(purge.by, kNameCodePoints));
      if (!purge.reason.empty()) out << "  # " << plain_text(purge.reason, kReasonCodePoints);
      out << '\n';
    }
  });
}

void run(const HistorySearch& command, std::ostream& out, std::ostream& notes) {
  if (command.words.empty()) throw InputError("the words to search for: there are none");
  if (!crdt::is_utf8(command.words)) throw InputError("the words to search for: not UTF-8");
  Json all = Json::array();
  std::string unreadable;
  if (!command.document.empty()) {
    with_history(command, [&](History& history) {
      search_in(history, command, command.document, out, all);
    });
  } else {
    with_archive(command, [&](Archive& archive) {
      storage::Candidates candidates = archive.candidates(command.words);
      // Read all the same, which may take its time.
      if (!candidates.behind.empty()) {
        notes << "palimpsest: reading " << candidates.behind.size()
              << (candidates.behind.size() == 1 ? " document" : " documents")
              << " that the index is behind with\n";
      }
      std::vector<std::string> documents = std::move(candidates.behind);
      documents.insert(documents.end(), candidates.found.begin(), candidates.found.end());
      for (const std::string& document : documents) {
        try {
          History history = archive.history(document);
          search_in(history, command, document, out, all);
        } catch (const storage::NotInHistory&) {
          continue;  // it has no such root, which others may have
        } catch (const storage::Error& error) {
          if (error.kind() != storage::Error::Kind::kCorrupt) throw;
          unreadable += (unreadable.empty() ? "" : "; ") + std::string(error.what());
        }
      }
    });
  }
  if (command.json) print(out, all);
  if (!unreadable.empty()) throw ConfigError(unreadable);
}

}  // namespace palimpsest::server::cli
