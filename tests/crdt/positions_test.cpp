#include "../../crdt/src/positions.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
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

// A formatted text as it should be: each character with its own formatting.
class FormattedMirror {
 public:
  using Formatting = std::map<std::string, std::string>;  // key → JSON

  explicit FormattedMirror(std::uint32_t seed) : random_(seed) {}

  void edit(Transaction& transaction) {
    const std::size_t at = below(text_.size() + 1);
    const std::size_t length = std::min<std::size_t>(1 + below(6), text_.size() - at);
    switch (below(5)) {
      case 0:
        if (length > 0) erase(transaction, at, length);
        return;
      case 1:
      case 2:
        if (length > 0) format(transaction, at, length);
        return;
      default:
        insert(transaction, at, below(3) == 0);
    }
  }

  bool says(const Any& delta) const {
    std::vector<std::pair<char, Formatting>> read;
    for (const Any& step : *delta.get_if<Any::Array>()) {
      Formatting formatting;
      if (const Any* const attributes = step.find("attributes")) {
        for (const auto& [key, value] : *attributes->get_if<Any::Object>()) {
          formatting[key] = value.to_json();
        }
      }
      for (const char c : *step.find("insert")->get_if<std::string>()) {
        read.emplace_back(c, formatting);
      }
    }
    return read == text_;
  }

 private:
  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  Any::Object any_formatting() {
    const std::array<std::string, 3> keys{"bold", "colour", "link"};
    Any::Object object;
    object.emplace_back(keys[below(keys.size())], below(3) == 0   ? Any(Any::Null{})
                                                  : below(2) == 0 ? Any(true)
                                                                  : Any(std::string("x")));
    return object;
  }

  // Without formatting of its own it goes on with what is in force there.
  void insert(Transaction& transaction, std::size_t at, bool has_formatting) {
    const std::string typed(1 + below(3), static_cast<char>('a' + below(26)));
    Formatting formatting;
    if (has_formatting) {
      const Any::Object object = any_formatting();
      for (const auto& [key, value] : object) {
        if (value.get_if<Any::Null>() == nullptr) formatting[key] = value.to_json();
      }
      transaction.text_insert("text", at, typed, Any(object));
    } else {
      if (at > 0) formatting = text_[at - 1].second;
      transaction.text_insert("text", at, typed);
    }
    for (std::size_t i = 0; i < typed.size(); ++i) {
      text_.insert(text_.begin() + static_cast<std::ptrdiff_t>(at + i), {typed[i], formatting});
    }
  }
  void erase(Transaction& transaction, std::size_t at, std::size_t length) {
    transaction.text_delete("text", at, length);
    const auto first = text_.begin() + static_cast<std::ptrdiff_t>(at);
    text_.erase(first, first + static_cast<std::ptrdiff_t>(length));
  }
  void format(Transaction& transaction, std::size_t at, std::size_t length) {
    const Any::Object object = any_formatting();
    transaction.text_format("text", at, length, Any(object));
    for (std::size_t i = at; i < at + length; ++i) {
      for (const auto& [key, value] : object) {
        text_[i].second.erase(key);
        if (value.get_if<Any::Null>() == nullptr) text_[i].second[key] = value.to_json();
      }
    }
  }

  std::mt19937 random_;
  std::vector<std::pair<char, Formatting>> text_;
};

TEST_CASE("a formatted text edited by index has each character's formatting", "[crdt]") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    FormattedMirror mirror(seed);
    Doc doc(Doc::Options{.gc = seed % 4 != 0});
    Doc replica;
    for (int step = 0; step < 150; ++step) {
      const Bytes update = doc.transact(1 + seed % 3, [&](Transaction& transaction) {
        for (int i = 0; i <= step % 3; ++i) mirror.edit(transaction);
      });
      if (!update.empty()) replica.apply(Update::decode(update));
      doc.check_invariants();
      INFO("seed " << seed << ", step " << step);
      REQUIRE(mirror.says(doc.delta("text")));
      REQUIRE(mirror.says(replica.delta("text")));
    }
    REQUIRE(replica.state_vector() == doc.state_vector());
    REQUIRE(replica.delete_set() == doc.delete_set());
  }
}

// A list of items of which every third is a mark, and how often somebody looks at one of them.
class MarkedList {
 public:
  static constexpr std::uint32_t kKeys = 3;

  explicit MarkedList(internal::BlockIndex size) : size_(size) {
    positions_.begin(0);
    for (internal::BlockIndex i = 0; i < size; ++i) positions_.add(0, i, is_mark(i) ? 0 : 1);
  }

  std::vector<internal::BlockIndex> marks_before(internal::BlockIndex item) {
    looks_ = 0;
    return positions_.marks_before(
        item, [&](internal::BlockIndex i) -> std::optional<internal::Positions::Mark> {
          ++looks_;
          if (!is_mark(i) || i == deleted_) return std::nullopt;
          return internal::Positions::Mark{i / 3 % kKeys, i % 7 == 0};
        });
  }
  // The last of each key that ends nothing, by a walk from the start.
  std::vector<internal::BlockIndex> marks_by_walking(internal::BlockIndex item) const {
    std::vector<std::pair<std::uint32_t, internal::BlockIndex>> in_force;  // key → mark
    for (internal::BlockIndex i = 0; i < item; ++i) {
      if (!is_mark(i) || i == deleted_) continue;
      const auto known = std::find_if(in_force.begin(), in_force.end(), [&](const auto& entry) {
        return entry.first == i / 3 % kKeys;
      });
      if (known == in_force.end()) {
        if (i % 7 != 0) in_force.emplace_back(i / 3 % kKeys, i);
      } else if (i % 7 == 0) {
        in_force.erase(known);
      } else {
        known->second = i;
      }
    }
    std::vector<internal::BlockIndex> marks;
    for (const auto& [key, mark] : in_force) marks.push_back(mark);
    return marks;
  }
  void erase_mark(internal::BlockIndex item) {
    deleted_ = item;
    positions_.mark_changed(item);
  }
  std::size_t looks() const { return looks_; }
  internal::BlockIndex size() const { return size_; }

 private:
  static bool is_mark(internal::BlockIndex i) { return i % 3 == 0; }

  internal::BlockIndex size_;
  internal::Positions positions_;
  internal::BlockIndex deleted_ = internal::Positions::kNowhere;
  std::size_t looks_ = 0;
};

TEST_CASE("formatting at a place is found as by a walk from the start", "[crdt]") {
  MarkedList list(3000);
  for (internal::BlockIndex item = 0; item < list.size(); item += 17) {
    INFO("item " << item);
    REQUIRE(list.marks_before(item) == list.marks_by_walking(item));
  }
  list.erase_mark(1500);
  for (internal::BlockIndex item = 1400; item < 1700; ++item) {
    INFO("item " << item);
    REQUIRE(list.marks_before(item) == list.marks_by_walking(item));
  }
}

TEST_CASE("formatting at a place is found without looking at the whole text", "[crdt]") {
  const internal::BlockIndex size = GENERATE(10'000U, 100'000U);
  MarkedList list(size);
  list.marks_before(size - 1);
  CHECK(list.looks() >= size / 2);
  for (internal::BlockIndex item = 1; item < size; item += size / 50) {
    list.marks_before(item);
    CHECK(list.looks() <= 100);
  }
  list.erase_mark(size / 2 / 3 * 3);
  list.marks_before(size - 1);
  CHECK(list.looks() <= 100);
}

}  // namespace
}  // namespace palimpsest::crdt
