#pragma once

#include <memory>

#include "config.hpp"

namespace CLI {
class App;
}

namespace palimpsest::server {

inline constexpr const char* kWhen =
    "A moment: the number of a change, an RFC 3339 time, or v:NAME of a version";

// --data, as all commands have it that look into a store.
void add_data(CLI::App& command, Flags& flags);

// The command line of what is done with a document's history (cli/history_writes.hpp), and of
// `versions`, which lists without --name and names with it.
class HistoryWriteArguments {
 public:
  HistoryWriteArguments();
  ~HistoryWriteArguments();

  void add_to(CLI::App& program);
  // Whether one of the commands was given.
  bool parsed() const;
  void run();

 private:
  struct Commands;
  std::unique_ptr<Commands> commands_;
};

}  // namespace palimpsest::server
