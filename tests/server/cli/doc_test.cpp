#include "crdt/doc.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string as_text(const crdt::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

// u32 little-endian length and update.
std::string framed(const std::string& update) {
  std::string frame;
  for (unsigned shift = 0; shift < 32; shift += 8)
    frame += static_cast<char>(update.size() >> shift);
  return frame + update;
}

// Two updates of client 1 to the text "content", as bytes.
struct Updates {
  Updates() {
    crdt::Doc doc;
    first = as_text(doc.transact(
        1, [](crdt::Transaction& change) { change.text_insert("content", 0, "hello"); }));
    second = as_text(doc.transact(1, [](crdt::Transaction& change) {
      change.text_insert("content", 5, " world");
      change.text_delete("content", 0, 1);
      change.map_set("meta", "title", crdt::Any("Greeting"));
    }));
    whole = as_text(doc.encode());
  }
  std::string first, second, whole;
};

TEST_CASE("doc merge makes one update of many", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path a = directory.path() / "a", b = directory.path() / "b",
                 out = directory.path() / "out";
  write(a, updates.first);
  write(b, updates.second);

  const auto result = run_program({"doc", "merge", a, b, "-o", out});
  CHECK(result.error.empty());
  CHECK(result.status == 0);
  CHECK(read(out) == updates.whole);

  // In the other order, too: what comes first waits.
  CHECK(run_program({"doc", "merge", b, a, "-o", out}).status == 0);
  CHECK(run_program({"doc", "show", out, "--root", "content", "--format", "text"}).out ==
        "ello world");
}

TEST_CASE("I12: a file that cannot be written to its end keeps what was in it", "[doc]") {
  const TempDirectory directory;
  const fs::path input = directory.path() / "input", out = directory.path() / "out";
  crdt::Doc doc;
  write(input, as_text(doc.transact(1, [](crdt::Transaction& change) {
          change.text_insert("content", 0, std::string(100'000, 'x'));
        })));
  write(out, "precious");
  constexpr std::size_t kFileLimit = 10'000;
  Program program({"doc", "merge", input, "-o", out}, {}, kFileLimit);
  const ProgramResult result = program.wait();
  CHECK(result.status != 0);
  CHECK(result.error.find(out.string()) != std::string::npos);
  CHECK(read(out) == "precious");
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);
}

TEST_CASE("doc merge --framed reads updates one after the other", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path log = directory.path() / "log", out = directory.path() / "out";
  write(log, framed(updates.first) + framed(updates.second));
  CHECK(run_program({"doc", "merge", log, "--framed", "-o", out}).status == 0);
  CHECK(read(out) == updates.whole);
}

TEST_CASE("doc merge names the file, the byte and the cause, and writes nothing", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path bad = directory.path() / "bad", out = directory.path() / "out";
  const std::string broken = updates.first.substr(0, updates.first.size() - 3);
  const std::size_t second_frame = 4 + updates.first.size();
  const auto [is_framed, bytes, place] = GENERATE_COPY(table<bool, std::string, std::string>({
      {false, broken, "byte "},
      {false, "", "byte 0: "},
      {true, framed(updates.first) + framed(broken), "byte "},
      {true, framed(updates.first) + "\x01", "byte " + std::to_string(second_frame) + ": "},
      {true, framed(updates.first) + std::string("\xff\xff\xff\xff", 4),
       "byte " + std::to_string(second_frame) + ": "},
  }));
  write(bad, bytes);
  write(out, "what was there");

  std::vector<std::string> arguments = {"doc", "merge", bad, "-o", out};
  if (is_framed) arguments.push_back("--framed");
  const auto result = run_program(arguments);
  CAPTURE(result.error);
  CHECK(result.status == 1);
  CHECK(result.out.empty());
  CHECK(result.error.starts_with("palimpsest: " + bad.string() + ": " + place));
  CHECK(result.error.find('\n') == result.error.size() - 1);
  CHECK(read(out) == "what was there");
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 2);
}

TEST_CASE("an error in a framed file is at its place in the file", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path plain = directory.path() / "plain", log = directory.path() / "log";
  const std::string broken = updates.first.substr(0, 5);
  write(plain, broken);
  write(log, framed(updates.first) + framed(broken));
  const auto place = [](const std::string& error) {
    const std::size_t at = error.find(": byte ") + 7;
    return std::stoul(error.substr(at));
  };
  const auto in_plain = run_program({"doc", "state", plain});
  const auto in_log = run_program({"doc", "merge", log, "--framed", "-o", directory.path() / "o"});
  CHECK(place(in_log.error) == place(in_plain.error) + 4 + updates.first.size() + 4);
}

TEST_CASE("doc show reads a root as it is told", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path file = directory.path() / "doc";
  write(file, updates.whole);
  const auto show = [&](const std::string& root, const std::string& format) {
    return run_program({"doc", "show", file, "--root", root, "--format", format}).out;
  };
  CHECK(show("content", "text") == "ello world");
  CHECK(json::parse(show("content", "delta")) == json::parse(R"([{"insert":"ello world"}])"));
  CHECK(json::parse(show("content", "json")) == "ello world");
  CHECK(json::parse(show("meta", "json")) == json::parse(R"({"title":"Greeting"})"));
  CHECK(json::parse(show("nothing", "json")).is_null());
}

TEST_CASE("doc state prints what is known and what is deleted", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path file = directory.path() / "doc";
  write(file, updates.whole);
  CHECK(json::parse(run_program({"doc", "state", file}).out) ==
        json::parse(R"({"stateVector":{"1":12},"deleteSet":{"1":[[0,1]]},"pending":false})"));

  write(file, updates.second);  // what comes before it is missing
  CHECK(json::parse(run_program({"doc", "state", file}).out)["pending"] == true);
}

TEST_CASE("doc diff writes what a peer lacks", "[doc]") {
  const TempDirectory directory;
  const Updates updates;
  const fs::path file = directory.path() / "doc", since = directory.path() / "sv",
                 out = directory.path() / "out", base = directory.path() / "base",
                 both = directory.path() / "both";
  write(file, updates.whole);
  write(base, updates.first);
  write(since, std::string("\x01\x01\x05", 3));  // client 1 up to clock 5

  CHECK(run_program({"doc", "diff", file, "--since", since, "-o", out}).status == 0);
  CHECK(read(out).size() < updates.whole.size());
  CHECK(run_program({"doc", "merge", base, out, "-o", both}).status == 0);
  CHECK(read(both) == updates.whole);

  write(since, std::string("\x05\x01", 2));
  const auto result = run_program({"doc", "diff", file, "--since", since, "-o", out});
  CHECK(result.status == 1);
  CHECK(result.error.starts_with("palimpsest: " + since.string() + ": byte "));
}

TEST_CASE("a file that is not there is named", "[doc]") {
  const auto result = run_program({"doc", "state", "/nowhere/at-all"});
  CHECK(result.status == 1);
  CHECK(result.error == "palimpsest: /nowhere/at-all: cannot be read: No such file or directory\n");
}

TEST_CASE("what is called wrongly is a usage error", "[doc]") {
  const std::vector<std::string> arguments = GENERATE(
      values<std::vector<std::string>>({{},
                                        {"unknown"},
                                        {"doc"},
                                        {"doc", "merge"},
                                        {"doc", "merge", "a"},
                                        {"doc", "show", "a", "--root", "r", "--format", "yaml"},
                                        {"doc", "state"},
                                        {"serve", "--unknown"},
                                        {"serve", "--threads", "many"}}));
  const auto result = run_program(arguments);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK_FALSE(result.error.empty());
}

TEST_CASE("the program tells its version and its help", "[doc]") {
  CHECK(run_program({"--version"}).out.starts_with("palimpsest 0."));
  const auto help = run_program({"serve", "--help"});
  CHECK(help.status == 0);
  CHECK(help.out.find("--listen HOST:PORT=127.0.0.1:1234") != std::string::npos);
}

}  // namespace
}  // namespace palimpsest::testing
