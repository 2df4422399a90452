#include "http/thinnings.hpp"

#include <functional>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>

#include "http/histories.hpp"
#include "http/history_tools.hpp"
#include "http/json_body.hpp"
#include "http/problem.hpp"
#include "http/reply.hpp"
#include "room/clock.hpp"
#include "room/thinner.hpp"
#include "storage/retention.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;
using storage::Thinning;

// A log that is packed meanwhile is read again.
constexpr int kTries = 20;

bool is_dry_run(const Json& body) {
  const auto member = body.find("dryRun");
  if (member == body.end()) return false;
  if (!member->is_boolean()) throw Problem(400, "dryRun must be true or false");
  return member->get<bool>();
}

Response described(const std::optional<Thinning>& thinning, std::uint32_t days, bool is_done) {
  const Thinning what = thinning.value_or(Thinning{});
  return json_response(200, {{"days", days},
                             {"until", thinning ? Json(what.note.until) : Json()},
                             {"entries", what.entries},
                             {"emptied", what.emptied},
                             {"bursts", what.bursts},
                             {"bytesBefore", what.rewrite.bytes_before},
                             {"bytesAfter", what.rewrite.bytes_after},
                             {"done", is_done}});
}

}  // namespace

Thinnings::Thinnings(const HistoryTools& tools, std::shared_ptr<spdlog::logger> log)
    : tools_(tools), log_(std::move(log)) {}

asio::awaitable<Response> Thinnings::thin(std::string document, Request request) {
  const Json body = json_body(request, {"olderThanDays", "dryRun"});
  const std::uint32_t days = days_member(body, "olderThanDays");
  const bool dry_run = is_dry_run(body);
  for (int tries = 0; tries < kTries; ++tries) {
    auto prepare = [&](storage::History& history, storage::Reader& reader) {
      return std::make_shared<const std::optional<Thinning>>(
          prepare_thinning(history, reader, {tools_.clock.wall(), days}));
    };
    const auto prepared = co_await tools_.histories.look_with_reader(document, prepare);
    if (!*prepared || dry_run) co_return described(*prepared, days, false);
    const auto is_done = std::make_shared<bool>(false);
    const std::function<void(storage::Writer&)> work = [prepared,
                                                        is_done](storage::Writer& writer) {
      *is_done |= writer.rewrite((*prepared)->rewrite, (*prepared)->note);
    };
    co_await tools_.write(work);
    if (!*is_done) continue;
    log_->info("document {}: by request, {}", document, describe(**prepared));
    co_return described(*prepared, days, true);
  }
  throw Problem(503, "the document is written to so much that its log cannot be; ask again later");
}

}  // namespace palimpsest::server::http
