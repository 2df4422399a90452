#include "history_arguments.hpp"

#include <algorithm>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/history.hpp"
#include "cli/history_writes.hpp"

namespace palimpsest::server {
namespace {

// An empty one is a mistake, of a script say: it does not stand for what goes without saying.
CLI::Option* add_text(CLI::App& command, const char* name, std::string& text, const char* help,
                      const char* type) {
  const auto check = [](const std::string& given) { return given.empty() ? "is empty" : ""; };
  return command.add_option(name, text, help)->type_name(type)->check(check, "");
}

void add_range(CLI::App& command, std::optional<cli::TextRange>& range) {
  command
      .add_option_function<std::string>(
          "--range",
          [&range](const std::string& text) {
            range = cli::text_range(text);
            if (!range) throw CLI::ValidationError("--range: is not INDEX:LENGTH, two numbers");
          },
          "Only these UTF-16 units of the text at that moment")
      ->type_name("INDEX:LENGTH");
}

void add_root(CLI::App& command, std::string& root, const char* otherwise) {
  add_text(command, "--root", root, "The root type's name", "NAME")->default_str(otherwise);
}

void add_by(CLI::App& command, cli::HistoryWrite& write) {
  add_text(command, "--by", write.by, "Who does it, for the history", "NAME");
}

}  // namespace

void add_data(CLI::App& command, Flags& flags) {
  command
      .add_option_function<std::string>(
          "--data", [&flags](const std::string& data) { flags["data"] = {data}; },
          "The directory with the documents")
      ->type_name("DIR")
      ->default_str("data");
}

struct HistoryWriteArguments::Commands {
  cli::RestoreText restore_text;
  cli::PurgeHistory purge;
  cli::NameVersion versions;
  cli::Fork fork;
  cli::Bin remove;
  cli::Bin undelete;
  Flags flags;
  std::vector<std::pair<CLI::App*, std::function<void()>>> all;

  CLI::App& add(CLI::App& program, const char* name, const char* help, cli::HistoryWrite& write,
                std::function<void()> work) {
    CLI::App& command = *program.add_subcommand(name, help);
    command.add_option("DOC", write.document, "The document's name")->required()->type_name("");
    command.add_flag("--json", write.json, "Print JSON");
    add_data(command, flags);
    all.emplace_back(&command, [this, &write, work = std::move(work)] {
      write.config = load_config(flags, process_environment);
      work();
    });
    return command;
  }

  void add_restore_text(CLI::App& program);
  void add_purge(CLI::App& program);
  void add_versions(CLI::App& program);
  void add_fork(CLI::App& program);
  void add_bin(CLI::App& program);
};

void HistoryWriteArguments::Commands::add_restore_text(CLI::App& program) {
  CLI::App& command = add(program, "restore-text", "Bring back what a document said, as an edit",
                          restore_text, [this] { cli::run(restore_text, std::cout); });
  add_text(command, "--at", restore_text.at, kWhen, "WHEN");
  add_text(command, "--from", restore_text.from,
           "Not to a moment: take back what was done behind this one", "WHEN");
  add_text(command, "--to", restore_text.to, "Up to this one, with --from", "WHEN")
      ->default_str("now");
  add_text(command, "--author", restore_text.author,
           "Only what this one did, with --from: a name or a client's number", "WHO")
      ->default_str("everybody");
  add_root(command, restore_text.root, "all of it; of a range content, or the first text");
  add_range(command, restore_text.range);
  add_by(command, restore_text);
}

void HistoryWriteArguments::Commands::add_purge(CLI::App& program) {
  CLI::App& command =
      add(program, "purge", "Take something out of the whole history of a document, for good",
          purge, [this] {
            cli::run(purge, {std::cin, ::isatty(STDIN_FILENO) != 0, std::cout, std::cerr});
          });
  add_text(command, "--text", purge.text, "Wherever it ever stood", "TEXT");
  add_range(command, purge.range);
  add_text(command, "--at", purge.at, "The moment that --range is of", "WHEN")->default_str("now");
  add_root(command, purge.root, "of a range content, or the first text");
  command.add_flag("--document", purge.document_itself,
                   "The document itself, which has to be in the bin");
  add_text(command, "--reason", purge.reason, "Why, for `purges`", "TEXT");
  add_by(command, purge);
  command.add_flag("--yes", purge.is_confirmed, "Do not ask");
}

void HistoryWriteArguments::Commands::add_versions(CLI::App& program) {
  CLI::App& command =
      add(program, "versions", "List the moments that have a name, or name one", versions, [this] {
        if (!versions.name.empty()) return cli::run(versions, std::cout);
        if (!versions.at.empty() || !versions.by.empty())
          throw UsageError("versions: --at and --by go with --name");
        cli::HistoryVersions list;
        list.data = versions.config.data;
        list.document = versions.document;
        list.json = versions.json;
        cli::run(list, std::cout);
      });
  add_text(command, "--name", versions.name, "Call a moment so; it is v:NAME from then on", "NAME");
  add_text(command, "--at", versions.at, kWhen, "WHEN")->default_str("now");
  add_by(command, versions);
}

void HistoryWriteArguments::Commands::add_fork(CLI::App& program) {
  CLI::App& command = add(program, "fork", "Make a new document of what one said", fork,
                          [this] { cli::run(fork, std::cout); });
  add_text(command, "--at", fork.at, kWhen, "WHEN")->default_str("now");
  add_text(command, "--as", fork.name, "The new document's name", "NAME")
      ->default_str("one that nobody can guess");
}

void HistoryWriteArguments::Commands::add_bin(CLI::App& program) {
  add(program, "delete", "Put a document into the bin", remove,
      [this] { cli::run(remove, std::cout); });
  undelete.is_to_be_in = false;
  add(program, "undelete", "Take a document out of the bin", undelete,
      [this] { cli::run(undelete, std::cout); });
}

HistoryWriteArguments::HistoryWriteArguments() : commands_(std::make_unique<Commands>()) {}
HistoryWriteArguments::~HistoryWriteArguments() = default;

void HistoryWriteArguments::add_to(CLI::App& program) {
  commands_->add_restore_text(program);
  commands_->add_purge(program);
  commands_->add_versions(program);
  commands_->add_fork(program);
  commands_->add_bin(program);
}

bool HistoryWriteArguments::parsed() const {
  return std::ranges::any_of(commands_->all,
                             [](const auto& command) { return command.first->parsed(); });
}

void HistoryWriteArguments::run() {
  for (const auto& [command, work] : commands_->all) {
    if (command->parsed()) work();
  }
}

}  // namespace palimpsest::server
