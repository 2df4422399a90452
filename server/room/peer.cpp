#include "room/peer.hpp"

#include "crdt/error.hpp"

namespace palimpsest::server {

namespace {

struct CloseForm {
  CloseReason reason;
  std::uint16_t code;
  std::string_view id;
};

constexpr CloseForm kCloseForms[] = {
    {CloseReason::kGoingAway, 1001, "going_away"},
    {CloseReason::kUnsupportedData, 1003, "unsupported_data"},
    {CloseReason::kMessageTooBig, 1009, "message_too_big"},
    {CloseReason::kInternal, 1011, "internal"},
    {CloseReason::kRestart, 1012, "restart"},
    {CloseReason::kTryLater, 1013, "try_later"},
    {CloseReason::kSlowConsumer, 1013, "slow_consumer"},
    {CloseReason::kBadMessage, 4400, "bad_message"},
    {CloseReason::kNotFound, 4404, "not_found"},
    {CloseReason::kGenerationChanged, 4409, "generation_changed"},
    {CloseReason::kDocumentFull, 4413, "document_full"},
    {CloseReason::kStorageUnavailable, 4503, "storage_unavailable"},
};

const CloseForm& form_of(CloseReason reason) {
  for (const CloseForm& form : kCloseForms) {
    if (form.reason == reason) return form;
  }
  throw crdt::Bug("a close reason without a code");
}

}  // namespace

std::uint16_t close_code(CloseReason reason) { return form_of(reason).code; }

std::string_view close_id(CloseReason reason) { return form_of(reason).id; }

std::string close_text(const Close& close) {
  std::string text(close_id(close.reason));
  if (close.retry) text += "; retry=" + std::to_string(close.retry->count());
  return text;
}

}  // namespace palimpsest::server
