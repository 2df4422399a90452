#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "log.hpp"

namespace palimpsest::server {

// An IP address and a port. Loopback is what only this machine can reach.
struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 1234;
  bool is_loopback = true;
};

// Everything that an operator decides.
struct Config {
  ListenAddress listen;
  std::filesystem::path data = "data";
  unsigned threads = 0;  // 0: one for each core
  bool insecure_open = false;
  bool unsafe_network_filesystem = false;
  std::vector<std::string> allow_origin;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::size_t max_message_bytes = std::size_t{16} << 20;
  std::size_t max_body_bytes = std::size_t{256} << 10;
  std::size_t max_import_bytes = std::size_t{64} << 20;
  std::size_t max_connections = 0;  // 0: what the limit of open files allows
  std::chrono::seconds unload_after{60};
  std::uint32_t history_days = 0;  // 0: for ever
  std::uint64_t reserve_bytes = std::uint64_t{64} << 20;
};

// The configuration cannot be used. what() is one line that names file, line and key, or the
// variable: exit status 78.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The command line cannot be used: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One setting: the flag --NAME, the variable PALIMPSEST_NAME and the key of palimpsest.toml, with
// '-' as '_' in the latter two.
struct Setting {
  enum class Kind { kText, kNumber, kSize, kDuration, kSwitch, kList };

  std::string_view name;
  Kind kind;
  std::string_view value_name;  // what --help calls the value
  std::string_view default_text;
  std::string_view help;
  // Takes one value, of a list one member. Throws std::invalid_argument: what is wrong with it.
  void (*assign)(Config&, std::string_view value);

  std::string variable() const;
  std::string key() const;
};

// All of them, in the order of --help.
std::span<const Setting> settings();

// Values from the command line: setting → as given, in order. A switch has the value "true".
using Flags = std::map<std::string, std::vector<std::string>, std::less<>>;
// nullopt for a variable that is not set.
using Environment = std::function<std::optional<std::string>(const std::string& variable)>;
// That of this process.
std::optional<std::string> process_environment(const std::string& variable);
struct ConfigFile {
  std::string name;  // for messages
  std::string text;
};

// Flag over environment over file over default; a list is taken whole from the first that has it.
// Throws UsageError and ConfigError.
Config resolve_config(const Flags& flags, const Environment& environment,
                      const std::optional<ConfigFile>& file);

// The same, with the file that `--config` or PALIMPSEST_CONFIG names, or else palimpsest.toml in
// the working directory where there is one.
Config load_config(const Flags& flags, const Environment& environment);

// Throws ConfigError for what must not be served: open to a public address by accident.
void check_safety(const Config& config);

}  // namespace palimpsest::server
