#include "log.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace palimpsest::server {
namespace {

constexpr std::size_t kQueuedLines = 8192;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The message, safe for the format it is written in: spdlog's %v writes it as it came.
class SafeMessage final : public spdlog::custom_flag_formatter {
 public:
  explicit SafeMessage(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& destination) override {
    const std::string_view payload(message.payload.data(), message.payload.size());
    const std::string safe =
        format_ == LogFormat::kText ? escape_controls(payload) : quoted(payload);
    destination.append(safe.data(), safe.data() + safe.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<SafeMessage>(format_);
  }

 private:
  // A JSON string; what is no UTF-8 becomes U+FFFD.
  static std::string quoted(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  LogFormat format_;
};

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<SafeMessage>('*', format);
  formatter->set_pattern(format == LogFormat::kText
                             ? "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %*"
                             : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})");
  return formatter;
}

// An asynchronous logger only borrows the pool that writes its lines.
struct Sink {
  std::shared_ptr<spdlog::details::thread_pool> pool =
      std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  std::shared_ptr<spdlog::async_logger> logger = std::make_shared<spdlog::async_logger>(
      "palimpsest", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), pool,
      spdlog::async_overflow_policy::overrun_oldest);
};

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(LogLevel level, LogFormat format) {
  auto sink = std::make_shared<Sink>();
  sink->logger->set_level(to_spdlog(level));
  sink->logger->flush_on(spdlog::level::trace);
  sink->logger->set_formatter(make_formatter(format));
  return {sink, sink->logger.get()};
}

std::string escape_controls(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string safe;
  safe.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      safe += c;
    } else if (c == '\n') {
      safe += "\\n";
    } else {
      safe += "\\x";
      safe += kDigits[byte >> 4];
      safe += kDigits[byte & 15];
    }
  }
  return safe;
}

}  // namespace palimpsest::server
