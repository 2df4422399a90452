#include "config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include <boost/asio/ip/address.hpp>
#include <toml++/toml.h>

#include "storage/store.hpp"

namespace palimpsest::server {
namespace {

[[noreturn]] void reject(const std::string& cause) { throw std::invalid_argument(cause); }

struct Range {
  std::uint64_t min;
  std::uint64_t max;
};

// number := digit+; anything after it is left in `rest`.
std::uint64_t parse_number(std::string_view text, std::string_view& rest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) reject("is not a whole number");
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::uint64_t parse_in_range(std::string_view text, Range range) {
  std::string_view rest;
  const std::uint64_t number = parse_number(text, rest);
  if (!rest.empty()) reject("is not a whole number");
  if (number < range.min || number > range.max)
    reject("is not between " + std::to_string(range.min) + " and " + std::to_string(range.max));
  return number;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// `what` names the kind of value in messages: "a size such as 256KiB".
std::uint64_t parse_with_unit(std::string_view text, std::span<const Unit> units, Range range,
                              const std::string& what) {
  std::string_view rest;
  const std::uint64_t number = parse_number(text, rest);
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& candidate) { return candidate.name == rest; });
  if (unit == units.end()) reject("is not " + what);
  const std::string limits =
      "is not between " + std::to_string(range.min) + " and " + std::to_string(range.max);
  if (number > range.max / unit->factor) reject(limits);
  const std::uint64_t value = number * unit->factor;
  if (value < range.min) reject(limits);
  return value;
}

std::size_t parse_size(std::string_view text, Range range) {
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"KiB", std::uint64_t{1} << 10},
                                    {"MiB", std::uint64_t{1} << 20},
                                    {"GiB", std::uint64_t{1} << 30}};
  return parse_with_unit(text, kUnits, range, "a size in bytes such as 65536, 256KiB or 16MiB");
}

std::chrono::seconds parse_duration(std::string_view text, Range range) {
  static constexpr Unit kUnits[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}};
  return std::chrono::seconds(
      parse_with_unit(text, kUnits, range, "a time in seconds such as 90, 90s or 5min"));
}

bool parse_switch(std::string_view text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  reject("is neither true nor false");
}

// listen := host ":" port; an IPv6 host stands in brackets.
ListenAddress parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) reject("is not HOST:PORT");
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";

  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error) reject("needs an IP address before the port, such as 127.0.0.1 or [::1]");
  const std::uint64_t port = parse_in_range(text.substr(colon + 1), {0, 65535});
  return {host, static_cast<std::uint16_t>(port), address.is_loopback()};
}

template <class Value, std::size_t N>
Value parse_choice(std::string_view text,
                   const std::array<std::pair<std::string_view, Value>, N>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  reject("is none of " + names);
}

// origin := ("http" | "https") "://" host (":" port)?
std::string parse_origin(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https") ||
      text.size() == scheme_end + 3 || text.find('/', scheme_end + 3) != std::string_view::npos)
    reject("is not an origin such as https://wiki.example.org");
  return std::string(text);
}

constexpr std::array<std::pair<std::string_view, LogLevel>, 5> kLogLevels = {
    {{"trace", LogLevel::kTrace},
     {"debug", LogLevel::kDebug},
     {"info", LogLevel::kInfo},
     {"warn", LogLevel::kWarning},
     {"error", LogLevel::kError}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> kLogFormats = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kSecondsOfADay = 86'400;

using Kind = Setting::Kind;
constexpr Setting kSettings[] = {
    {"listen", Kind::kText, "HOST:PORT", "127.0.0.1:1234",
     "The address for HTTP and WebSocket; port 0 takes a free one.",
     [](Config& config, std::string_view value) { config.listen = parse_listen(value); }},
    {"data", Kind::kText, "DIR", "data", "Where the documents are; made if it is not there.",
     [](Config& config, std::string_view value) {
       if (value.empty()) reject("is empty");
       config.data = std::filesystem::path(value);
     }},
    {"threads", Kind::kNumber, "N", "one for each core", "Threads that serve connections.",
     [](Config& config, std::string_view value) {
       config.threads = static_cast<unsigned>(parse_in_range(value, {1, 256}));
     }},
    {"insecure-open", Kind::kSwitch, "", "false",
     "Serve a public address although anybody can read and change everything.",
     [](Config& config, std::string_view value) { config.insecure_open = parse_switch(value); }},
    {"unsafe-network-filesystem", Kind::kSwitch, "", "false",
     "Keep documents on a network file system, where what is acknowledged can be lost.",
     [](Config& config, std::string_view value) {
       config.unsafe_network_filesystem = parse_switch(value);
     }},
    {"allow-origin", Kind::kList, "ORIGIN", "this server, and loopback when listening there",
     "A site whose pages may connect, such as https://wiki.example.org; may be repeated.",
     [](Config& config, std::string_view value) {
       config.allow_origin.push_back(parse_origin(value));
     }},
    {"log-level", Kind::kText, "LEVEL", "info", "trace, debug, info, warn or error.",
     [](Config& config, std::string_view value) {
       config.log_level = parse_choice(value, kLogLevels);
     }},
    {"log-format", Kind::kText, "FORMAT", "text", "text or json.",
     [](Config& config, std::string_view value) {
       config.log_format = parse_choice(value, kLogFormats);
     }},
    {"max-message", Kind::kSize, "SIZE", "16MiB", "The largest WebSocket message taken.",
     [](Config& config, std::string_view value) {
       config.max_message_bytes = parse_size(value, {kKiB, 256 * kMiB});
     }},
    {"max-body", Kind::kSize, "SIZE", "256KiB", "The largest body of a request taken.",
     [](Config& config, std::string_view value) {
       config.max_body_bytes = parse_size(value, {kKiB, 256 * kMiB});
     }},
    {"max-import", Kind::kSize, "SIZE", "64MiB", "The largest file that POST /api/import takes.",
     [](Config& config, std::string_view value) {
       config.max_import_bytes = parse_size(value, {kKiB, 4096 * kMiB});
     }},
    {"max-connections", Kind::kNumber, "N", "the limit of open files less a reserve",
     "More wait until one of them ends.",
     [](Config& config, std::string_view value) {
       config.max_connections = parse_in_range(value, {1, 1'000'000});
     }},
    {"unload-after", Kind::kDuration, "TIME", "60s",
     "How long a document stays in memory after its last reader left.",
     [](Config& config, std::string_view value) {
       config.unload_after = parse_duration(value, {0, kSecondsOfADay});
     }},
    {"history-days", Kind::kNumber, "N", "0",
     "Thin history older than so many days to bursts; 0 keeps every keystroke for ever.",
     [](Config& config, std::string_view value) {
       config.history_days =
           static_cast<std::uint32_t>(parse_in_range(value, {0, storage::kMostDays}));
     }},
    {"reserve", Kind::kSize, "SIZE", "64MiB",
     "How much of the disk is kept free for when it is full (`palimpsest reserve`); 0 for nothing.",
     [](Config& config, std::string_view value) {
       config.reserve_bytes = parse_size(value, {0, 65'536 * kMiB});
     }},
};

std::string underscored(std::string_view name) {
  std::string key(name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

// Throws Failure with `place` in front of what is wrong.
template <class Failure>
void assign_all(Config& config, const Setting& setting, std::span<const std::string> values,
                const std::string& place) {
  for (const std::string& value : values) {
    try {
      setting.assign(config, value);
    } catch (const std::invalid_argument& error) {
      throw Failure(place + " " + error.what());
    }
  }
}

// --- palimpsest.toml ---

std::string place_of(const ConfigFile& file, const toml::node& node, std::string_view key) {
  return file.name + ":" + std::to_string(node.source().begin.line) + ": " + std::string(key);
}

// A TOML value as the text that a flag would have. Throws std::invalid_argument for a wrong type.
std::string text_of(const toml::node& node, Kind kind) {
  if (kind == Kind::kSwitch) {
    if (!node.is_boolean()) reject("must be true or false");
    return node.value_or(false) ? "true" : "false";
  }
  if (kind == Kind::kNumber && !node.is_integer()) reject("must be a whole number");
  if (node.is_integer() &&
      (kind == Kind::kNumber || kind == Kind::kSize || kind == Kind::kDuration))
    return std::to_string(node.value_or(std::int64_t{0}));
  if (!node.is_string()) reject("must be a string");
  return node.value_or(std::string());
}

std::vector<std::string> texts_of(const toml::node& node, Kind kind) {
  if (kind != Kind::kList) return {text_of(node, kind)};
  const toml::array* list = node.as_array();
  if (!list) reject("must be a list of strings");
  std::vector<std::string> texts;
  for (const toml::node& member : *list) texts.push_back(text_of(member, kind));
  return texts;
}

const Setting* find_setting_by_key(std::string_view key) {
  const auto found = std::find_if(std::begin(kSettings), std::end(kSettings),
                                  [&](const Setting& setting) { return setting.key() == key; });
  return found == std::end(kSettings) ? nullptr : &*found;
}

toml::table parse_toml(const ConfigFile& file) {
  try {
    return toml::parse(file.text, file.name);
  } catch (const toml::parse_error& error) {
    throw ConfigError(file.name + ":" + std::to_string(error.source().begin.line) + ": " +
                      std::string(error.description()));
  }
}

// Checks all keys of the file, also those that a flag or variable overrules.
void assign_file(Config& config, const ConfigFile& file) {
  for (const auto& [key, node] : parse_toml(file)) {
    const std::string place = place_of(file, node, key.str());
    const Setting* setting = find_setting_by_key(key.str());
    if (!setting) throw ConfigError(place + " is not a setting");
    std::vector<std::string> values;
    try {
      values = texts_of(node, setting->kind);
    } catch (const std::invalid_argument& error) {
      throw ConfigError(place + " " + error.what());
    }
    assign_all<ConfigError>(config, *setting, values, place);
  }
}

void forget_list(Config& config, const Setting& setting) {
  if (setting.kind == Kind::kList) config.allow_origin.clear();
}

// A list in a variable is separated by commas.
std::vector<std::string> split_variable(const std::string& value, Kind kind) {
  if (kind != Kind::kList) return {value};
  std::vector<std::string> members;
  std::istringstream stream(value);
  for (std::string member; std::getline(stream, member, ',');)
    if (!member.empty()) members.push_back(member);
  return members;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream) throw ConfigError(path.string() + ": cannot be read");
  return text;
}

}  // namespace

std::string Setting::variable() const {
  std::string name_upper = underscored(name);
  for (char& c : name_upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return "PALIMPSEST_" + name_upper;
}

std::string Setting::key() const { return underscored(name); }

std::span<const Setting> settings() { return kSettings; }

std::optional<std::string> process_environment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  if (!value) return std::nullopt;
  return value;
}

Config resolve_config(const Flags& flags, const Environment& environment,
                      const std::optional<ConfigFile>& file) {
  Config config;
  if (file) assign_file(config, *file);
  for (const Setting& setting : kSettings) {
    const auto value = environment(setting.variable());
    if (!value || value->empty()) continue;
    forget_list(config, setting);
    assign_all<ConfigError>(config, setting, split_variable(*value, setting.kind),
                            setting.variable());
  }
  for (const Setting& setting : kSettings) {
    const auto given = flags.find(setting.name);
    if (given == flags.end()) continue;
    forget_list(config, setting);
    assign_all<UsageError>(config, setting, given->second, "--" + std::string(setting.name));
  }
  return config;
}

Config load_config(const Flags& flags, const Environment& environment) {
  constexpr const char* kDefaultFile = "palimpsest.toml";
  std::optional<std::string> path = environment("PALIMPSEST_CONFIG");
  if (const auto given = flags.find("config"); given != flags.end()) path = given->second.back();
  if (!path && std::filesystem::exists(kDefaultFile)) path = kDefaultFile;
  if (!path) return resolve_config(flags, environment, std::nullopt);
  return resolve_config(flags, environment, ConfigFile{*path, read_file(*path)});
}

void check_safety(const Config& config) {
  if (config.listen.is_loopback || config.insecure_open) return;
  throw ConfigError("listen: " + config.listen.host +
                    " is reachable by others, and anybody could read and change every document; "
                    "listen on 127.0.0.1, or say --insecure-open if that is meant");
}

}  // namespace palimpsest::server
