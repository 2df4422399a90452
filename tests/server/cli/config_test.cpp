#include "config.hpp"

#include <map>
#include <set>
#include <string>

#include "support/catch.hpp"

namespace palimpsest::testing {
namespace {

using namespace server;
using namespace std::chrono_literals;

using Variables = std::map<std::string, std::string>;

Config resolve(const Flags& flags, const Variables& variables, const std::string& file = "") {
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return resolve_config(flags, environment, ConfigFile{"palimpsest.toml", file});
}

// What the refusal says.
std::string complaint(const Flags& flags, const Variables& variables,
                      const std::string& file = "") {
  try {
    resolve(flags, variables, file);
  } catch (const ConfigError& error) {
    return error.what();
  } catch (const UsageError& error) {
    return std::string("usage: ") + error.what();
  }
  return "";
}

TEST_CASE("a flag goes over a variable, a variable over the file, the file over the default",
          "[config]") {
  const std::string file = "log_level = \"error\"\n";
  const Variables variables = {{"PALIMPSEST_LOG_LEVEL", "warn"}};
  CHECK(resolve({}, {}).log_level == LogLevel::kInfo);
  CHECK(resolve({}, {}, file).log_level == LogLevel::kError);
  CHECK(resolve({}, variables, file).log_level == LogLevel::kWarning);
  CHECK(resolve({{"log-level", {"debug"}}}, variables, file).log_level == LogLevel::kDebug);
}

TEST_CASE("a list is taken whole from one place", "[config]") {
  const std::string file = "allow_origin = [\"http://a\", \"http://b\"]\n";
  using List = std::vector<std::string>;
  CHECK(resolve({}, {}, file).allow_origin == List{"http://a", "http://b"});
  CHECK(resolve({}, {{"PALIMPSEST_ALLOW_ORIGIN", "http://c,http://d"}}, file).allow_origin ==
        List{"http://c", "http://d"});
  CHECK(resolve({{"allow-origin", {"http://e"}}}, {}, file).allow_origin == List{"http://e"});
}

TEST_CASE("every setting is a flag, a variable and a key", "[config]") {
  std::set<std::string> keys;
  for (const Setting& setting : settings()) {
    CAPTURE(setting.name);
    CHECK(keys.insert(setting.key()).second);
    CHECK(setting.variable().starts_with("PALIMPSEST_"));
    CHECK_FALSE(setting.help.empty());
    CHECK_FALSE(setting.default_text.empty());
    // Each place complains about a value that is nothing anywhere.
    if (setting.kind == Setting::Kind::kText && setting.name == "data") continue;
    const std::string name(setting.name);
    CHECK(complaint({{name, {"?"}}}, {}).find("--" + name) != std::string::npos);
    CHECK(complaint({}, {{setting.variable(), "?"}}).starts_with(setting.variable()));
    CHECK(complaint({}, {}, setting.key() + " = 1.5")
              .starts_with("palimpsest.toml:1: " + setting.key()));
  }
}

TEST_CASE("F30: a wrong file is one line that names the file, the line and the key", "[config]") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"\nlisten_on = \"127.0.0.1:1\"\n", "palimpsest.toml:2: listen_on is not a setting"},
      {"threads = \"4\"\n", "palimpsest.toml:1: threads must be a whole number"},
      {"threads = 0\n", "palimpsest.toml:1: threads is not between 1 and 256"},
      {"threads = -1\n", "palimpsest.toml:1: threads is not a whole number"},
      {"listen = 1234\n", "palimpsest.toml:1: listen must be a string"},
      {"listen = \"localhost\"\n", "palimpsest.toml:1: listen is not HOST:PORT"},
      {"insecure_open = 1\n", "palimpsest.toml:1: insecure_open must be true or false"},
      {"allow_origin = \"http://a\"\n",
       "palimpsest.toml:1: allow_origin must be a list of strings"},
      {"log_format = \"xml\"\n", "palimpsest.toml:1: log_format is none of text, json"},
      {"max_message = \"16MB\"\n",
       "palimpsest.toml:1: max_message is not a size in bytes such as 65536, 256KiB or 16MiB"},
      {"\n\n[listen]\nport = 1\n", "palimpsest.toml:3: listen must be a string"},
  }));
  CHECK(complaint({}, {}, text) == expected);
}

TEST_CASE("a file that is no TOML is told where", "[config]") {
  CHECK(complaint({}, {}, "threads = 4\nlisten = \n").starts_with("palimpsest.toml:2: "));
}

TEST_CASE("a key that a flag overrules is checked all the same", "[config]") {
  CHECK(complaint({{"threads", {"2"}}}, {}, "threads = 0") ==
        "palimpsest.toml:1: threads is not between 1 and 256");
}

TEST_CASE("sizes and times may have units", "[config]") {
  CHECK(resolve({{"max-message", {"64KiB"}}}, {}).max_message_bytes == 65536);
  CHECK(resolve({}, {}, "max_message = 65536").max_message_bytes == 65536);
  CHECK(resolve({{"unload-after", {"2min"}}}, {}).unload_after == 120s);
  CHECK(resolve({}, {}, "unload_after = 5").unload_after == 5s);
  CHECK(resolve({}, {}).history_days == 0);
  CHECK(resolve({}, {}, "history_days = 90").history_days == 90);
  CHECK(complaint({{"max-message", {"99999999999GiB"}}}, {}).starts_with("usage: --max-message"));
}

TEST_CASE("an address is a host and a port", "[config]") {
  const auto [text, host, port, is_loopback] = GENERATE(table<std::string, std::string, int, bool>({
      {"127.0.0.1:1234", "127.0.0.1", 1234, true},
      {"localhost:80", "127.0.0.1", 80, true},
      {"127.8.8.8:0", "127.8.8.8", 0, true},
      {"[::1]:1", "::1", 1, true},
      {"0.0.0.0:65535", "0.0.0.0", 65535, false},
      {"[::]:1", "::", 1, false},
      {"192.168.1.2:1", "192.168.1.2", 1, false},
  }));
  const ListenAddress listen = resolve({{"listen", {text}}}, {}).listen;
  CHECK(listen.host == host);
  CHECK(listen.port == port);
  CHECK(listen.is_loopback == is_loopback);
}

TEST_CASE("what is no address is refused", "[config]") {
  const std::string text = GENERATE("1234", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                                    "127.0.0.1:x", "example.org:80", ":80", "");
  CAPTURE(text);
  CHECK_FALSE(complaint({{"listen", {text}}}, {}).empty());
}

TEST_CASE("a public address is served only when that is said out loud", "[config]") {
  Config config = resolve({{"listen", {"0.0.0.0:1234"}}}, {});
  CHECK_THROWS_AS(check_safety(config), ConfigError);
  config.insecure_open = true;
  CHECK_NOTHROW(check_safety(config));
  CHECK_NOTHROW(check_safety(Config{}));
}

}  // namespace
}  // namespace palimpsest::testing
