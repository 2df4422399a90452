#include "room/outbox.hpp"

#include <string>

#include "support/catch.hpp"

using palimpsest::crdt::Bytes;
using palimpsest::crdt::Update;
using palimpsest::server::Frame;
using palimpsest::server::Outbox;
using palimpsest::server::ReleasedUpdate;

namespace {

constexpr Outbox::Limits kLimits{100, 400};

Frame frame(std::size_t bytes, std::uint8_t mark = 0) { return Frame(Bytes(bytes, mark)); }

std::shared_ptr<const ReleasedUpdate> update(std::size_t bytes, std::uint8_t mark = 0,
                                             std::vector<Update::Authored> authored = {}) {
  return std::make_shared<const ReleasedUpdate>(
      ReleasedUpdate{frame(bytes, mark), std::move(authored)});
}

// The first byte of each frame that is queued, in order.
std::string sent(Outbox& outbox) {
  std::string marks;
  while (const auto next = outbox.pop()) marks += static_cast<char>(next->bytes()[0]);
  return marks;
}

}  // namespace

TEST_CASE("frames leave an outbox in the order in which they came", "[outbox]") {
  Outbox outbox(kLimits);
  outbox.push_update(update(10, 'a'));
  outbox.push_awareness(frame(10, 'b'));
  CHECK(outbox.push(frame(10, 'c')));
  CHECK(outbox.push_sync(frame(10, 'd')));
  CHECK(outbox.queued_bytes() == 40);
  CHECK(sent(outbox) == "abcd");
  CHECK(outbox.empty());
  CHECK(outbox.queued_bytes() == 0);
}

TEST_CASE("a frame shares its bytes with whoever else was given it", "[outbox]") {
  Outbox one(kLimits);
  Outbox two(kLimits);
  const auto shared = update(10);
  one.push_update(shared);
  two.push_update(shared);
  CHECK(one.pop()->shares_bytes_with(*two.pop()));
}

TEST_CASE("past the soft limit updates and awareness are dropped, all else stays", "[outbox]") {
  Outbox outbox(kLimits);
  outbox.push_update(update(30, 'a', {{7, 0, 5}}));
  outbox.push_update(update(30, 'b', {{7, 5, 9}, {3, 2, 4}}));
  outbox.push_awareness(frame(30, 'c'));
  CHECK(outbox.push(frame(5, 'd')));
  CHECK_FALSE(outbox.is_behind());
  outbox.push_update(update(30, 'e', {{7, 9, 12}}));

  CHECK(outbox.is_behind());
  CHECK(outbox.has_missed_updates());
  // 'a' is next and stays; of client 7 the peer will have seen all before clock 5.
  CHECK(outbox.missed_clocks() == std::map<std::uint64_t, std::uint64_t>{{3, 2}, {7, 5}});
  CHECK(outbox.queued_bytes() == 35);
  CHECK(sent(outbox) == "ad");

  outbox.push_update(update(10, 'f', {{1, 0, 1}}));
  CHECK(sent(outbox).empty());
  CHECK(outbox.missed_clocks().contains(1));

  outbox.caught_up();
  CHECK_FALSE(outbox.is_behind());
  CHECK(outbox.missed_clocks().empty());
  outbox.push_update(update(10, 'g'));
  CHECK(sent(outbox) == "g");
}

TEST_CASE("a peer that missed only awareness has missed no update", "[outbox]") {
  Outbox outbox(kLimits);
  CHECK(outbox.push(frame(90)));
  outbox.push_awareness(frame(20));
  CHECK(outbox.is_behind());
  CHECK_FALSE(outbox.has_missed_updates());
}

TEST_CASE("one frame may be larger than every limit, the next one then is too much", "[outbox]") {
  Outbox outbox(kLimits);
  CHECK(outbox.push_sync(frame(1000, 's')));
  CHECK_FALSE(outbox.push(frame(1, 'x')));
  CHECK(sent(outbox) == "s");
  CHECK(outbox.push(frame(1, 'x')));
}

TEST_CASE("the next frame is never dropped, so a slow peer always gets on", "[outbox]") {
  Outbox outbox(kLimits);
  outbox.push_update(update(300, 'd'));
  outbox.push_awareness(frame(10, 'a'));
  CHECK(outbox.is_behind());
  CHECK(sent(outbox) == "d");
}

TEST_CASE("past the soft limit a newer answer to a sync step 1 replaces those that wait",
          "[outbox]") {
  Outbox outbox(kLimits);
  CHECK(outbox.push_sync(frame(40, 'a')));
  CHECK(outbox.push_sync(frame(40, 'b')));
  CHECK(outbox.push(frame(10, 'x')));
  CHECK(outbox.push_sync(frame(40, 'c')));
  CHECK(sent(outbox) == "xc");
}
