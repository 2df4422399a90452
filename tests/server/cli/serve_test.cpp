#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "crdt/doc.hpp"
#include "net/raw_client.hpp"
#include "program.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

TEST_CASE("serve says where it is, and ends well when asked to", "[serve]") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  const TempDirectory directory;
  const fs::path data = directory.path() / "made" / "here";
  Program server({"serve", "--listen", "127.0.0.1:0", "--data", data});
  CHECK(server.read_line().starts_with("Palimpsest is at http://127.0.0.1:"));
  CHECK(fs::exists(data / "palimpsest.db"));
  server.signal(signal);
  CHECK(server.wait().status == 0);
}

TEST_CASE("settings come from variables and from a file, too", "[serve]") {
  const TempDirectory directory;
  const fs::path file = directory.path() / "palimpsest.toml";
  std::ofstream(file) << "listen = \"[::1]:0\"\ndata = \"" << (directory.path() / "d").string()
                      << "\"\n";
  Program server({"serve"}, {"PALIMPSEST_CONFIG=" + file.string(), "PALIMPSEST_LOG_FORMAT=json"});
  CHECK(server.read_line().starts_with("Palimpsest is at http://[::1]:"));
  server.signal(SIGTERM);
  const ProgramResult result = server.wait();
  CHECK(result.status == 0);
  CHECK(result.error.find("\"level\":\"info\",\"message\":\"stopping on signal 15") !=
        std::string::npos);
}

TEST_CASE("F10: a second server on the same data is turned away", "[serve]") {
  const TempDirectory directory;
  const std::vector<std::string> arguments = {"serve", "--listen", "127.0.0.1:0", "--data",
                                              directory.path()};
  Program first(arguments);
  first.read_line();
  const ProgramResult second = run_program(arguments);
  CHECK(second.status == 78);
  CHECK(second.error.starts_with("palimpsest: "));
  CHECK(second.error.find('\n') == second.error.size() - 1);
}

TEST_CASE("what cannot be served is refused in one line", "[serve]") {
  const TempDirectory directory;
  std::ofstream(directory.path() / "file") << "no directory\n";
  const auto [name, arguments] = GENERATE(table<std::string, std::vector<std::string>>({
      {"a public address", {"--listen", "0.0.0.0:0"}},
      {"a foreign address", {"--listen", "192.0.2.1:0", "--insecure-open"}},
      {"data that is a file", {"--listen", "127.0.0.1:0", "--data", "FILE"}},
      {"no configuration", {"--config", "/nowhere/palimpsest.toml"}},
  }));
  CAPTURE(name);
  std::vector<std::string> words = {"serve", "--data", directory.path() / "data"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::replace(words.begin(), words.end(), "FILE"s, (directory.path() / "file").string());
  const ProgramResult result = run_program(words);
  CAPTURE(result.error);
  CHECK(result.status == 78);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("palimpsest: "));
  CHECK(result.error.find('\n') == result.error.size() - 1);
}

TEST_CASE("F5: a server whose disk fails says so, tells its peers, and ends", "[serve]") {
  const TempDirectory directory;
  constexpr std::size_t kFileLimit = 1 << 20;
  Program server({"serve", "--listen", "127.0.0.1:0", "--data", directory.path()}, {}, kFileLimit);
  const std::string greeting = server.read_line();
  const std::size_t colon = greeting.find(':', greeting.find("127.0.0.1"));
  RawWebSocket client(static_cast<std::uint16_t>(std::stoul(greeting.substr(colon + 1))));

  crdt::Doc doc;
  std::string updates;
  for (int i = 0; i < 32; ++i)
    updates += RawFrame{
        .payload = update_message(doc.transact(7, [&](crdt::Transaction& change) {
          change.text_insert("t", 0, std::string(1 << 16, 'a'));
        }))}.encode();
  CHECK(client.close_code_after(updates) == 4503);
  const ProgramResult result = server.wait();
  CHECK(result.status == 74);
  CHECK(result.error.find("the store has failed") != std::string::npos);
}

}  // namespace
}  // namespace palimpsest::testing
