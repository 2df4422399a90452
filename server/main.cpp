#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/doc.hpp"
#include "cli/files.hpp"
#include "cli/serve.hpp"
#include "config.hpp"
#include "exit_status.hpp"

namespace {

using palimpsest::server::Flags;
using palimpsest::server::Setting;
namespace cli = palimpsest::server::cli;
namespace server = palimpsest::server;

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
  if (!std::cout.flush()) throw cli::InputError("standard output: cannot be written");
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

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? server::kExitDone : server::kExitUsage;
  }
  return serve->parsed() ? cli::serve(flags) : run_doc(doc);
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
