#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/backup.hpp"
#include "cli/check.hpp"
#include "cli/doc.hpp"
#include "cli/files.hpp"
#include "cli/history.hpp"
#include "cli/reserve.hpp"
#include "cli/restore.hpp"
#include "cli/retention.hpp"
#include "cli/serve.hpp"
#include "cli/transfer.hpp"
#include "config.hpp"
#include "exit_status.hpp"
#include "history_arguments.hpp"

namespace {

using palimpsest::server::add_data;
using palimpsest::server::Flags;
using palimpsest::server::kWhen;
using palimpsest::server::Setting;
namespace cli = palimpsest::server::cli;
namespace server = palimpsest::server;

// What was printed has to have arrived.
void flush_output() {
  if (!std::cout.flush()) throw cli::InputError("standard output: cannot be written");
}

void add_setting(CLI::App& serve, const Setting& setting, Flags& flags) {
  const std::string flag = "--" + std::string(setting.name);
  const std::string name(setting.name);
  if (setting.kind == Setting::Kind::kSwitch) {
    serve.add_flag_callback(
        flag, [&flags, name] { flags[name] = {"true"}; }, std::string(setting.help));
    return;
  }
  CLI::Option* option = serve.add_option_function<std::vector<std::string>>(
      flag, [&flags, name](const std::vector<std::string>& values) { flags[name] = values; },
      std::string(setting.help));
  option->type_name(std::string(setting.value_name))
      ->default_str(std::string(setting.default_text))
      ->expected(1)
      ->multi_option_policy(setting.kind == Setting::Kind::kList
                                ? CLI::MultiOptionPolicy::TakeAll
                                : CLI::MultiOptionPolicy::TakeLast);
}

CLI::App* add_serve(CLI::App& program, Flags& flags) {
  CLI::App* serve = program.add_subcommand("serve", "Serve documents and the web client");
  for (const Setting& setting : server::settings()) add_setting(*serve, setting, flags);
  serve
      ->add_option_function<std::string>(
          "--config", [&flags](const std::string& file) { flags["config"] = {file}; },
          "Where settings are read from.")
      ->type_name("FILE")
      ->default_str("palimpsest.toml, if there");
  serve->footer(
      "A setting is also a variable (--log-level: PALIMPSEST_LOG_LEVEL) and a key in\n"
      "palimpsest.toml (log_level). A flag goes over a variable, a variable over the file.");
  return serve;
}

// `palimpsest doc`: what its subcommands were given, and which of them it is.
struct Doc {
  cli::DocMerge merge;
  cli::DocShow show;
  cli::DocState state;
  cli::DocDiff diff;
  CLI::App* merge_command = nullptr;
  CLI::App* show_command = nullptr;
  CLI::App* state_command = nullptr;
  CLI::App* diff_command = nullptr;
};

void add_formats(CLI::App& command, bool& v2_in, bool* v2_out = nullptr) {
  command.add_flag("--v2-in", v2_in, "What is read is in update format v2, not v1");
  if (v2_out != nullptr) command.add_flag("--v2", *v2_out, "Write update format v2, not v1");
}

void add_doc(CLI::App& program, Doc& doc) {
  CLI::App* command = program.add_subcommand("doc", "Look at Yjs update files and merge them");
  command->require_subcommand(1);

  doc.merge_command = command->add_subcommand("merge", "Merge updates into one update");
  doc.merge_command->add_option("FILE", doc.merge.files, "Update files")->required()->type_name("");
  doc.merge_command->add_option("-o,--out", doc.merge.out, "Where the update goes")
      ->required()
      ->type_name("FILE");
  doc.merge_command->add_flag("--framed", doc.merge.framed,
                              "A file is many updates, each after its length as u32 little-endian");
  add_formats(*doc.merge_command, doc.merge.v2_in, &doc.merge.v2_out);

  const std::map<std::string, cli::DocShow::Format> formats = {
      {"text", cli::DocShow::Format::kText},
      {"json", cli::DocShow::Format::kJson},
      {"delta", cli::DocShow::Format::kDelta},
      {"xml", cli::DocShow::Format::kXml}};
  doc.show_command = command->add_subcommand("show", "Print the content of one root type");
  doc.show_command->add_option("FILE", doc.show.file, "An update file")->required()->type_name("");
  doc.show_command->add_option("--root", doc.show.root, "The root type's name")
      ->required()
      ->type_name("NAME");
  doc.show_command->add_option("--format", doc.show.format, "How the root is read")
      ->required()
      ->type_name("text|json|delta|xml")
      ->transform(CLI::CheckedTransformer(formats).description(""));
  add_formats(*doc.show_command, doc.show.v2_in);

  doc.state_command =
      command->add_subcommand("state", "Print the state vector and the delete set as JSON");
  doc.state_command->add_option("FILE", doc.state.file, "An update file")
      ->required()
      ->type_name("");
  add_formats(*doc.state_command, doc.state.v2_in);

  doc.diff_command =
      command->add_subcommand("diff", "Write the update that a peer with a state vector lacks");
  doc.diff_command->add_option("FILE", doc.diff.file, "An update file")->required()->type_name("");
  doc.diff_command->add_option("--since", doc.diff.since, "The file with the state vector")
      ->required()
      ->type_name("FILE");
  doc.diff_command->add_option("-o,--out", doc.diff.out, "Where the update goes")
      ->required()
      ->type_name("FILE");
  add_formats(*doc.diff_command, doc.diff.v2_in, &doc.diff.v2_out);
}

int run_doc(const Doc& doc) {
  if (doc.merge_command->parsed()) cli::run(doc.merge);
  if (doc.show_command->parsed()) cli::run(doc.show, std::cout);
  if (doc.state_command->parsed()) cli::run(doc.state, std::cout);
  if (doc.diff_command->parsed()) cli::run(doc.diff);
  flush_output();
  return server::kExitDone;
}

// The commands that read the stored history, and which of them it is.
struct History {
  cli::HistoryLog log;
  cli::HistoryShow show;
  cli::HistoryDiff diff;
  cli::HistoryBlame blame;
  cli::HistorySearch search;
  cli::HistoryPurges purges;
  std::vector<std::string> words;
  CLI::App* log_command = nullptr;
  CLI::App* show_command = nullptr;
  CLI::App* diff_command = nullptr;
  CLI::App* blame_command = nullptr;
  CLI::App* search_command = nullptr;
  CLI::App* purges_command = nullptr;
  Flags flags;

  const CLI::App* parsed() const {
    for (const CLI::App* command :
         {log_command, show_command, diff_command, blame_command, search_command, purges_command}) {
      if (command->parsed()) return command;
    }
    return nullptr;
  }
};

std::filesystem::path data_of(const Flags& flags) {
  return server::load_config(flags, server::process_environment).data;
}

void add_source(CLI::App& command, cli::HistorySource& source, Flags& flags) {
  add_data(command, flags);
  command.add_flag("--json", source.json, "Print JSON");
}

void add_root(CLI::App& command, cli::HistorySource& source) {
  command
      .add_option("--root", source.root, "The root type's name; else content, or the first text")
      ->type_name("NAME");
}

void add_document(CLI::App& command, cli::HistorySource& source) {
  command.add_option("DOC", source.document, "The document's name")->required()->type_name("");
}

void add_history(CLI::App& program, History& history) {
  const auto add = [&](const char* name, const char* help, cli::HistorySource& source) {
    CLI::App* command = program.add_subcommand(name, help);
    add_source(*command, source, history.flags);
    return command;
  };
  history.log_command = add("log", "List who wrote when and where", history.log);
  add_document(*history.log_command, history.log);
  history.log_command->add_flag("--sittings", history.log.sittings,
                                "What all wrote until everybody paused, not each one's bursts");
  history.log_command->add_option("--limit", history.log.limit, "At most so many")
      ->type_name("N")
      ->default_str("all");

  history.show_command = add("show", "Print what a document said at a moment", history.show);
  add_document(*history.show_command, history.show);
  history.show_command->add_option("--at", history.show.at, kWhen)->required()->type_name("WHEN");
  add_root(*history.show_command, history.show);

  history.diff_command = add("diff", "Print what changed between two moments", history.diff);
  add_document(*history.diff_command, history.diff);
  history.diff_command->add_option("FROM", history.diff.from, kWhen)->required()->type_name("");
  history.diff_command->add_option("TO", history.diff.to, "Likewise")->required()->type_name("");
  add_root(*history.diff_command, history.diff);

  history.blame_command = add("blame", "Print who wrote what, and when", history.blame);
  add_document(*history.blame_command, history.blame);
  history.blame_command->add_option("--at", history.blame.at, kWhen)
      ->type_name("WHEN")
      ->default_str("now");
  add_root(*history.blame_command, history.blame);

  history.search_command =
      add("search", "Print when words stood in the documents, and who wrote and removed them",
          history.search);
  history.search_command->add_option("WORDS", history.words, "What to look for, as it was written")
      ->required()
      ->type_name("");
  history.search_command->add_option("--document", history.search.document, "Only in this one")
      ->type_name("DOC");
  add_root(*history.search_command, history.search);

  history.purges_command = add(
      "purges", "List when something was purged under that name, by whom and why", history.purges);
  add_document(*history.purges_command, history.purges);
}

int run_history(History& history) {
  const auto data = data_of(history.flags);
  const auto run = [&](CLI::App* parsed, auto& command) {
    if (!parsed->parsed()) return;
    command.data = data;
    if constexpr (requires { cli::run(command, std::cout, std::cerr); }) {
      cli::run(command, std::cout, std::cerr);
    } else {
      cli::run(command, std::cout);
    }
  };
  for (const std::string& word : history.words) {
    history.search.words += (history.search.words.empty() ? "" : " ") + word;
  }
  run(history.log_command, history.log);
  run(history.show_command, history.show);
  run(history.diff_command, history.diff);
  run(history.blame_command, history.blame);
  run(history.purges_command, history.purges);
  run(history.search_command, history.search);
  flush_output();
  return server::kExitDone;
}

// The commands for the store as a whole, and which of them it is.
struct Store {
  cli::Check check;
  cli::Backup backup;
  cli::Restore restore;
  cli::Reserve reserve;
  CLI::App* check_command = nullptr;
  CLI::App* backup_command = nullptr;
  CLI::App* restore_command = nullptr;
  CLI::App* reserve_command = nullptr;
  Flags flags;

  bool parsed() const {
    return check_command->parsed() || backup_command->parsed() || restore_command->parsed() ||
           reserve_command->parsed();
  }
};

void add_store(CLI::App& program, Store& store) {
  store.check_command = program.add_subcommand(
      "check", "Read the whole store and say what is wrong with it (exit status 1 if anything is)");
  add_data(*store.check_command, store.flags);
  store.check_command->add_flag("--json", store.check.json, "Print JSON");

  store.backup_command =
      program.add_subcommand("backup", "Copy the store into one new file, while a server runs");
  store.backup_command->add_option("FILE", store.backup.file, "The file, which must not be there")
      ->required()
      ->type_name("");
  add_data(*store.backup_command, store.flags);

  store.restore_command = program.add_subcommand(
      "restore", "Put a backup in the place of the store, which is kept under another name");
  store.restore_command->add_option("FILE", store.restore.file, "What `backup` has written")
      ->required()
      ->type_name("");
  add_data(*store.restore_command, store.flags);

  store.reserve_command = program.add_subcommand(
      "reserve", "Say how much of the disk a server keeps free for when it is full");
  store.reserve_command->add_flag("--release", store.reserve.release,
                                  "Give it back, so that edits are saved again");
  add_data(*store.reserve_command, store.flags);
}

int run_store(Store& store) {
  const auto data = data_of(store.flags);
  if (store.backup_command->parsed()) {
    store.backup.data = data;
    cli::run(store.backup);
    return server::kExitDone;
  }
  if (store.restore_command->parsed()) {
    store.restore.data = data;
    cli::run(store.restore, std::cout, std::cerr);
    flush_output();
    return server::kExitDone;
  }
  if (store.reserve_command->parsed()) {
    store.reserve.data = data;
    cli::run(store.reserve, std::cout);
    flush_output();
    return server::kExitDone;
  }
  store.check.data = data;
  const bool is_well = cli::run(store.check, std::cout);
  flush_output();
  return is_well ? server::kExitDone : server::kExitBadInput;
}

// The commands that take documents out and in, and which of them it is.
struct Transfer {
  cli::Export out;
  cli::ImportCommand in;
  std::string out_file;
  std::string name;
  std::string document;
  CLI::App* export_command = nullptr;
  CLI::App* import_command = nullptr;
  Flags flags;

  bool parsed() const { return export_command->parsed() || import_command->parsed(); }
};

void add_transfer(CLI::App& program, Transfer& transfer) {
  CLI::App* out = transfer.export_command = program.add_subcommand(
      "export", "Write a document with its whole history into one file, while a server runs");
  out->add_option("DOC", transfer.out.document, "The document's name")->required()->type_name("");
  out->add_option("-o,--out", transfer.out_file, "Where the file goes")
      ->type_name("FILE")
      ->default_str("standard output");
  add_data(*out, transfer.flags);

  CLI::App* in = transfer.import_command = program.add_subcommand(
      "import", "Store documents that `export`, another program or another server has written");
  in->add_option("FILE", transfer.in.import.file, "The file, or the directory of a y-leveldb")
      ->required()
      ->type_name("");
  in->add_option("--name", transfer.name, "What the document is to be called")
      ->type_name("NAME")
      ->default_str("as in the file, or the file's own");
  in->add_option_function<std::string>(
        "--format",
        [&transfer](const std::string& name) {
          const auto format = server::import_format(name);
          if (!format) throw CLI::ValidationError("--format: is none that can be read");
          transfer.in.import.format = *format;
        },
        "What the file is")
      ->type_name("auto|palimpsest|text|markdown|yjs|y-leveldb|hocuspocus")
      ->default_str("auto");
  in->add_option("--document", transfer.document, "Of a store, only this document")
      ->type_name("DOC")
      ->default_str("all");
  in->add_flag("--v2-in", transfer.in.import.is_v2, "Updates are in update format v2, not v1");
  add_data(*in, transfer.flags);
}

int run_transfer(Transfer& transfer) {
  const server::Config config = server::load_config(transfer.flags, server::process_environment);
  if (transfer.export_command->parsed()) {
    transfer.out.data = config.data;
    if (!transfer.out_file.empty()) transfer.out.out = transfer.out_file;
    cli::run(transfer.out, std::cout);
  } else {
    server::Import& import = transfer.in.import;
    transfer.in.config = config;
    import.fallback_name = import.file.stem().string();
    import.now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    if (transfer.import_command->count("--name") > 0) import.name = transfer.name;
    if (transfer.import_command->count("--document") > 0) import.document = transfer.document;
    cli::run(transfer.in, std::cout);
  }
  flush_output();
  return server::kExitDone;
}

// The commands for how long histories are kept, and which of them it is.
struct Retention {
  cli::Thin thin;
  cli::RetentionCommand rule;
  bool as_others = false;
  CLI::App* thin_command = nullptr;
  CLI::App* rule_command = nullptr;
  Flags flags;

  bool parsed() const { return thin_command->parsed() || rule_command->parsed(); }
};

void add_retention(CLI::App& program, Retention& retention) {
  CLI::App* thin = retention.thin_command = program.add_subcommand(
      "thin", "Thin a document's old history to bursts: what was written in one go becomes one");
  thin->add_option("DOC", retention.thin.document, "The document's name")
      ->required()
      ->type_name("");
  thin->add_option_function<std::string>(
          "--older-than",
          [&retention](const std::string& text) {
            const auto days = cli::parse_days(text);
            if (!days) throw CLI::ValidationError("--older-than: is no number of days such as 90d");
            retention.thin.days = *days;
          },
          "How old it has to be, such as 90d")
      ->required()
      ->type_name("DAYS");
  thin->add_flag("--dry-run", retention.thin.dry_run, "Only say what it would come to");
  thin->add_flag("--json", retention.thin.json, "Print JSON");
  add_data(*thin, retention.flags);

  CLI::App* rule = retention.rule_command = program.add_subcommand(
      "retention", "Say for how long a document's history is kept as it was written, or set it");
  rule->add_option("DOC", retention.rule.document, "The document's name")
      ->required()
      ->type_name("");
  CLI::Option* days =
      rule->add_option_function<std::uint32_t>(
              "--days", [&retention](std::uint32_t value) { retention.rule.days.emplace(value); },
              "Thin what is older; 0 keeps it for ever")
          ->type_name("N");
  rule->add_flag("--as-others", retention.as_others, "As the server's setting says")
      ->excludes(days);
  rule->add_flag("--json", retention.rule.json, "Print JSON");
  add_data(*rule, retention.flags);
}

int run_retention(Retention& retention) {
  const server::Config config = server::load_config(retention.flags, server::process_environment);
  if (retention.thin_command->parsed()) {
    retention.thin.config = config;
    cli::run(retention.thin, std::cout);
  } else {
    retention.rule.config = config;
    if (retention.as_others) retention.rule.days.emplace(std::nullopt);
    cli::run(retention.rule, std::cout);
  }
  flush_output();
  return server::kExitDone;
}

int run(int argc, char** argv) {
  CLI::App program("Palimpsest: documents that many people write at once, and their history");
  program.name("palimpsest");
  program.set_version_flag("--version", "palimpsest " PALIMPSEST_VERSION);
  program.require_subcommand(1);
  Flags flags;
  Doc doc;
  const CLI::App* serve = add_serve(program, flags);
  add_doc(program, doc);
  History history;
  add_history(program, history);
  Store store;
  add_store(program, store);
  Transfer transfer;
  add_transfer(program, transfer);
  Retention retention;
  add_retention(program, retention);
  server::HistoryWriteArguments writes;
  writes.add_to(program);

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? server::kExitDone : server::kExitUsage;
  }
  if (serve->parsed()) return cli::serve(flags);
  if (store.parsed()) return run_store(store);
  if (transfer.parsed()) return run_transfer(transfer);
  if (retention.parsed()) return run_retention(retention);
  if (writes.parsed()) {
    writes.run();
    flush_output();
    return server::kExitDone;
  }
  return history.parsed() != nullptr ? run_history(history) : run_doc(doc);
}

int complain(const std::exception& error, int status) {
  std::cerr << "palimpsest: " << error.what() << '\n';
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const cli::InputError& error) {
    return complain(error, server::kExitBadInput);
  } catch (const server::UsageError& error) {
    return complain(error, server::kExitUsage);
  } catch (const server::ConfigError& error) {
    return complain(error, server::kExitUnusable);
  } catch (const std::exception& error) {
    return complain(error, server::kExitStorageFailed);
  }
}
