#include "http/history_tools.hpp"

#include <string>
#include <utility>

#include "http/problem.hpp"
#include "room/directory.hpp"
#include "room/journal.hpp"
#include "room/task.hpp"

namespace palimpsest::server::http {
namespace {

namespace asio = boost::asio;

Problem refusal_of(const Close& close) {
  switch (close.reason) {
    case CloseReason::kDocumentFull:
      return {413, "the document is as large as it may be"};
    case CloseReason::kBadMessage:
      return {422, "the document does not take that"};
    case CloseReason::kNotFound:
      return {409, "the document is in the bin: take it out first"};
    case CloseReason::kGenerationChanged:
      return {409, "an earlier document of that name had some of that: use another name"};
    default:
      return {503, "the document cannot be written just now: " + close_text(close)};
  }
}

}  // namespace

asio::awaitable<Edited> HistoryTools::take(Edit edit) const {
  edit.connection = next_connection();
  Edited edited = co_await make_edit(directory, std::move(edit));
  if (edited.is_taken) throw Problem(409, "name: there is a document of that name");
  if (edited.refusal) throw refusal_of(*edited.refusal);
  co_return edited;
}

asio::awaitable<void> HistoryTools::write(const std::function<void(storage::Writer&)>& work) const {
  const bool is_written = co_await server::write(journal, work);
  if (!is_written) throw Problem(503, "the store has failed: whether that is done is not known");
}

}  // namespace palimpsest::server::http
