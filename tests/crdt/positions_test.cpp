#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "crdt/doc.hpp"
#include "support/catch.hpp"

namespace palimpsest::crdt {
namespace {

// A text as it should be, edited beside the document.
class Mirror {
 public:
  explicit Mirror(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  // One edit near the last one, or anywhere; answers its update.
  Bytes edit(Doc& doc, ClientId client) {
    if (below(8) == 0) at_ = below(text_.size() + 1);
    at_ = std::min(at_, text_.size());
    return doc.transact(client, [&](Transaction& transaction) {
      for (std::size_t keys = 1 + below(3); keys > 0; --keys) press(transaction);
    });
  }

  const std::string& text() const { return text_; }
  void take(std::string text) { text_ = std::move(text); }

 private:
  void press(Transaction& transaction) {
    const std::size_t erased = std::min<std::size_t>(1 + below(4), at_);
    if (below(3) == 0 && erased > 0) {
      at_ -= erased;
      transaction.text_delete("text", at_, erased);
      text_.erase(at_, erased);
    } else {
      const std::string typed(1 + below(3), static_cast<char>('a' + below(26)));
      transaction.text_insert("text", at_, typed);
      text_.insert(at_, typed);
      at_ += typed.size();
    }
  }

  std::mt19937 random_;
  std::string text_;
  std::size_t at_ = 0;
};

TEST_CASE("a text edited by index says what a string edited alike says", "[crdt]") {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    Mirror mirror(seed);
    Doc doc(Doc::Options{.gc = seed % 4 != 0});
    Doc replica;
    for (int step = 0; step < 120; ++step) {
      const Bytes update = mirror.edit(doc, 1 + seed % 3);
      replica.apply(Update::decode(update));
      doc.check_invariants();
      INFO("seed " << seed << ", step " << step);
      REQUIRE(doc.text("text") == mirror.text());
      REQUIRE(replica.text("text") == mirror.text());
    }
    REQUIRE(replica.state_vector() == doc.state_vector());
    REQUIRE(replica.delete_set() == doc.delete_set());
  }
}

TEST_CASE("an index still finds its place after others have written", "[crdt]") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    Doc docs[2];
    Mirror mirrors[2] = {Mirror(seed), Mirror(seed + 1000)};
    for (int step = 0; step < 80; ++step) {
      for (std::size_t i = 0; i < 2; ++i) {
        const Bytes update = mirrors[i].edit(docs[i], 10 + i);
        REQUIRE(docs[i].text("text") == mirrors[i].text());
        if (mirrors[i].below(2) == 0) continue;
        docs[1 - i].apply(Update::decode(docs[i].encode_since(docs[1 - i].state_vector())));
        docs[1 - i].check_invariants();
        mirrors[1 - i].take(docs[1 - i].text("text"));
      }
    }
    docs[0].apply(Update::decode(docs[1].encode()));
    docs[1].apply(Update::decode(docs[0].encode()));
    REQUIRE(docs[0].text("text") == docs[1].text("text"));
  }
}

TEST_CASE("a long text is cut and written anywhere", "[crdt]") {
  Doc doc;
  doc.transact(1, [](Transaction& transaction) {
    transaction.text_insert("text", 0, std::string(5000, 'x'));
  });
  std::string expected(5000, 'x');
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::size_t at = random() % expected.size();
    doc.transact(2, [&](Transaction& transaction) { transaction.text_insert("text", at, "é"); });
    doc.transact(3, [&](Transaction& transaction) { transaction.text_delete("text", at, 1); });
    doc.transact(2, [&](Transaction& transaction) { transaction.text_insert("text", at, "y"); });
    expected.insert(at, "y");
  }
  doc.check_invariants();
  CHECK(doc.text("text") == expected);
  CHECK_THROWS_AS(doc.transact(1,
                               [&](Transaction& transaction) {
                                 transaction.text_insert("text", expected.size() + 1, "z");
                               }),
                  std::out_of_range);
}

}  // namespace
}  // namespace palimpsest::crdt
