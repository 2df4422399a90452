#include "http/json_body.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/problem.hpp"
#include "storage/store.hpp"

namespace palimpsest::server::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostDepth = 32;

// Looks through the text before anything is built of it, since a value is built, copied and
// destroyed by recursion.
class Scan : public nlohmann::json_sax<Json> {
 public:
  const char* cause() const { return cause_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    return names_.back().insert(name).second || refuse("the body names a member twice");
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return refuse("the body is not JSON");
  }

 private:
  bool enter() {
    names_.emplace_back();
    return names_.size() <= kMostDepth || refuse("the body is nested too deeply");
  }
  bool leave() {
    names_.pop_back();
    return true;
  }
  bool refuse(const char* cause) {
    cause_ = cause;
    return false;
  }

  std::vector<std::set<std::string>> names_;  // of each object or array that is open
  const char* cause_ = nullptr;
};

bool is_control(char character) {
  return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
}

}  // namespace

Json json_body(const Request& request, std::initializer_list<std::string_view> members) {
  const std::string* type = request.find("content-type");
  const std::string_view media =
      type ? trim_whitespace(std::string_view(*type).substr(0, type->find(';'))) : "";
  if (!equals_ignoring_case(media, "application/json"))
    throw Problem(415, "the body must be application/json");
  Scan scan;
  Json::sax_parse(request.body, &scan);
  if (scan.cause()) throw Problem(400, scan.cause());
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) throw Problem(400, "the body must be an object");
  for (const auto& [name, value] : body.items()) {
    if (std::ranges::find(members, std::string_view(name)) != members.end()) continue;
    std::string all;
    for (const std::string_view member : members)
      all += (all.empty() ? "" : ", ") + std::string(member);
    throw Problem(400, "the body has a member that is none of " + all);
  }
  return body;
}

std::string text_of_member(const Json& body, std::string_view name, std::size_t most_bytes) {
  const auto member = body.find(name);
  std::string text = member == body.end() || !member->is_string() ? "" : member->get<std::string>();
  if (text.empty() || text.size() > most_bytes)
    throw Problem(
        400, std::string(name) + " must be text of 1 to " + std::to_string(most_bytes) + " bytes");
  return text;
}

std::string text_member(const Json& body, std::string_view name, std::size_t most_bytes) {
  const auto member = body.find(name);
  const auto refuse = [&] {
    return Problem(400, std::string(name) + " must be text of 1 to " + std::to_string(most_bytes) +
                            " bytes without control characters");
  };
  if (member == body.end() || !member->is_string()) throw refuse();
  std::string text = member->get<std::string>();
  if (text.empty() || text.size() > most_bytes || std::ranges::any_of(text, is_control))
    throw refuse();
  return text;
}

std::uint32_t days_member(const Json& body, std::string_view name) {
  const auto member = body.find(name);
  if (member == body.end() || !member->is_number_unsigned() ||
      member->get<std::uint64_t>() > storage::kMostDays) {
    throw Problem(400, std::string(name) + " must be a number of days from 0 to " +
                           std::to_string(storage::kMostDays));
  }
  return member->get<std::uint32_t>();
}

std::string text_member_or_empty(const Json& body, std::string_view name, std::size_t most_bytes) {
  return body.contains(name) ? text_member(body, name, most_bytes) : std::string();
}

}  // namespace palimpsest::server::http
