#include "cli/restore.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <string>

#include "cli/files.hpp"
#include "config.hpp"
#include "room/plain_text.hpp"
#include "storage/restore.hpp"

namespace palimpsest::server::cli {
namespace {

constexpr std::size_t kListedFindings = 20;
constexpr std::size_t kCauseCodePoints = 300;

std::string line_of(const storage::Finding& finding) {
  std::string place = "the database";
  if (!finding.document.empty()) place = "document \"" + finding.document + "\"";
  if (finding.seq != 0) place += ", seq " + std::to_string(finding.seq);
  return plain_text(place + ": " + finding.cause, kCauseCodePoints);
}

void list(const storage::BadBackup& bad, std::ostream& doubts) {
  const auto& findings = bad.findings();
  for (std::size_t i = 0; i < std::min(findings.size(), kListedFindings); ++i) {
    doubts << line_of(findings[i]) << '\n';
  }
  if (findings.size() > kListedFindings) {
    doubts << "and " << findings.size() - kListedFindings << " more\n";
  }
}

void print(const storage::Restored& restored, std::ostream& out, std::ostream& doubts) {
  out << "put back " << counted(restored.documents, "document", "documents") << ", "
      << counted(restored.updates, "update", "updates") << '\n';
  if (!restored.set_aside.empty()) {
    out << "what was there before is " << restored.set_aside.string()
        << "; delete it when nobody misses anything\n";
  }
  for (const std::string& doubt : restored.doubts) {
    doubts << "palimpsest: " << plain_text(doubt, kCauseCodePoints)
           << ": clients that still have what was there may not be told that it was replaced\n";
  }
}

}  // namespace

void run(const Restore& command, std::ostream& out, std::ostream& doubts) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  try {
    print(storage::restore(command.data, command.file, now), out, doubts);
  } catch (const storage::BadBackup& bad) {
    list(bad, doubts);
    throw InputError(bad.what());
  } catch (const storage::Error& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace palimpsest::server::cli
