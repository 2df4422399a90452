#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "log/columns.hpp"
#include "log/guesses.hpp"
#include "log/shape.hpp"

namespace palimpsest::storage::log {

// The two directions in which values go through columns. What UpdateColumns says of one it says of
// the other: a value that is put in there comes out of it here.
class IntoColumns {
 public:
  static constexpr bool kIsReading = false;

  explicit IntoColumns(ColumnWriter& columns) : columns_(columns) {}
  void number(Numbers column, std::uint64_t& value) { columns_.number(column, value); }
  void content(Content column, std::uint64_t, crdt::ByteView& bytes) {
    columns_.content(column, bytes);
  }
  void check_count(std::uint64_t) const {}

 private:
  ColumnWriter& columns_;
};

// `Columns`: of whichever version.
template <class Columns>
class OutOfColumns {
 public:
  static constexpr bool kIsReading = true;

  // All updates together have no more than `most` parts.
  OutOfColumns(Columns& columns, std::uint64_t most) : columns_(columns), left_(most) {}
  void number(Numbers column, std::uint64_t& value) { value = columns_.number(column); }
  void content(Content column, std::uint64_t size, crdt::ByteView& bytes) {
    bytes = columns_.content(column, size);
  }
  void check_count(std::uint64_t count) {
    if (count > left_) throw Malformed("more parts than the updates can hold");
    left_ -= count;
  }

 private:
  Columns& columns_;
  std::uint64_t left_;
};

// What there is to say of an update.
enum class Form : std::uint64_t {
  kTyped,          // one byte of text where all guesses are right: by far the most common
  kErasedBack,     // one unit before what was deleted last
  kErasedForward,  // one unit behind it
  kOneBlock,
  kOneDeletion,
  kSeveral,
  kWhole,  // it is kept as it is
  kEnd
};

// Takes updates through columns in one direction.
template <class Direction>
class UpdateColumns {
 public:
  explicit UpdateColumns(Direction direction) : direction_(direction) {}

  void number(Numbers column, std::uint64_t& value) { direction_.number(column, value); }
  // A number that is probably near a guess.
  void near(Numbers column, std::uint64_t guess, std::uint64_t& value) {
    std::uint64_t code = difference(guess, value);
    direction_.number(column, code);
    value = advance(guess, code);
  }
  // A client, which may be new here.
  void client(Numbers column, crdt::ClientId usual, crdt::ClientId& client) {
    std::uint64_t code = client == usual ? 0 : 1 + guesses_.index_of(client);
    direction_.number(column, code);
    const std::uint64_t known = guesses_.clients().size();
    if (code > known + 1) throw Malformed("a client that was not introduced");
    if (code == known + 1) {
      direction_.number(Numbers::kNewClient, client);
      guesses_.introduce(client);
    } else {
      client = code == 0 ? usual : guesses_.clients()[code - 1];
    }
  }

  // An update that a client known here has sent. What is read lies in the columns and, of kWhole,
  // in `bytes`.
  Form update(crdt::ClientId sender, bool is_whole, Shape& shape, crdt::ByteView& bytes) {
    Form form = Form::kWhole;
    if constexpr (!Direction::kIsReading) {
      if (!is_whole) form = form_of(sender, shape);
    }
    auto code = static_cast<std::uint64_t>(form);
    direction_.number(Numbers::kForm, code);
    form = static_cast<Form>(code);
    if (form >= Form::kEnd) throw Malformed("an unknown form of update");
    if constexpr (Direction::kIsReading) start(shape, form);
    switch (form) {
      case Form::kTyped:
        typed(sender, shape);
        break;
      case Form::kErasedBack:
      case Form::kErasedForward:
        erased(form, shape);
        break;
      case Form::kWhole:
        content(Content::kRaw, bytes);
        break;
      case Form::kSeveral:
        count(shape.sections);
        count(shape.deletions);
        [[fallthrough]];
      default:
        sections(form, sender, shape);
        deletions(form, sender, shape);
    }
    return form;
  }

 private:
  // Of guesses_.
  static constexpr std::uint64_t kGoesOn = 0;  // of an origin
  static constexpr std::uint64_t kBack = 0;    // of a deletion
  static constexpr std::uint64_t kForward = 1;

  // Of a client that something is to be noted of. It was introduced, unless what is read is
  // damaged.
  std::uint64_t known_index(crdt::ClientId client) const {
    const std::uint64_t index = guesses_.index_of(client);
    if (index == guesses_.clients().size()) throw Malformed("a client that was not introduced");
    return index;
  }

  Form form_of(crdt::ClientId sender, const Shape& shape) const {
    if (shape.deletions.empty() && shape.sections.size() == 1 && shape.blocks.size() == 1) {
      return is_typed(sender, shape) ? Form::kTyped : Form::kOneBlock;
    }
    if (shape.sections.empty() && shape.deletions.size() == 1 && shape.ranges.size() == 1) {
      if (shape.ranges[0].units != 1) return Form::kOneDeletion;
      const crdt::Id id{shape.deletions[0].client, shape.ranges[0].clock};
      if (id == guesses_.deletion(kBack, 1)) return Form::kErasedBack;
      return id == guesses_.deletion(kForward, 1) ? Form::kErasedForward : Form::kOneDeletion;
    }
    return Form::kSeveral;
  }

  bool is_typed(crdt::ClientId sender, const Shape& shape) const {
    const Shape::Section& section = shape.sections[0];
    const Shape::Block& block = shape.blocks[0];
    if (section.client != sender || block.content.size() != 1) return false;
    if (section.clock != guesses_.next_clock(known_index(sender))) return false;
    if (block.info == (kHasOrigin | kTextKind)) {
      return block.origin == guesses_.origin(kGoesOn, {sender, section.clock}) &&
             !guesses_.right_of(block.origin);
    }
    return block.info == (kHasOrigin | kHasRightOrigin | kTextKind) &&
           block.origin == guesses_.origin(kGoesOn, {sender, section.clock}) &&
           block.right_origin == guesses_.right_of(block.origin);
  }

  static void start(Shape& shape, Form form) {
    const bool has_block = form == Form::kTyped || form == Form::kOneBlock;
    const bool has_deletion =
        form == Form::kErasedBack || form == Form::kErasedForward || form == Form::kOneDeletion;
    shape.sections.assign(has_block ? 1 : 0, {.blocks = 1});
    shape.blocks.clear();
    shape.deletions.assign(has_deletion ? 1 : 0, {.ranges = 1});
    shape.ranges.clear();
  }

  void typed(crdt::ClientId sender, Shape& shape) {
    const std::uint64_t index = known_index(sender);
    const crdt::Clock clock = guesses_.next_clock(index);
    shape.sections[0].client = sender;
    shape.sections[0].clock = clock;
    Shape::Block& block = next(shape.blocks, 0);
    const std::optional<crdt::Id> origin = guesses_.origin(kGoesOn, {sender, clock});
    if (!origin) throw Malformed("typing behind nothing");
    const std::optional<crdt::Id> right = guesses_.right_of(*origin);
    block.info = kHasOrigin | kTextKind | (right ? kHasRightOrigin : 0);
    block.origin = *origin;
    block.right_origin = right.value_or(crdt::Id{});
    direction_.content(Content::kText, 1, block.content);
    if (origin == guesses_.end()) {
      guesses_.wrote_on();
    } else {
      guesses_.wrote(origin, right, {sender, clock}, 1);
    }
    guesses_.reached(index, clock + 1);
  }

  void erased(Form form, Shape& shape) {
    const auto id = guesses_.deletion(form == Form::kErasedBack ? kBack : kForward, 1);
    if (!id) throw Malformed("a deletion of what is not there");
    shape.deletions[0].client = id->client;
    next(shape.ranges, 0) = {id->clock, 1};
    guesses_.deleted(*id, 1);
  }

  // The part behind those that were there: as it is, or to be read.
  template <class Part>
  static Part& next(std::vector<Part>& parts, std::size_t index) {
    if constexpr (Direction::kIsReading) parts.emplace_back();
    return parts[index];
  }

  template <class Part>
  void count(std::vector<Part>& parts) {
    std::uint64_t size = parts.size();
    count(size);
    parts.resize(size);
  }
  void count(std::uint64_t& size) {
    direction_.number(Numbers::kCount, size);
    direction_.check_count(size);
  }

  void content(Content column, crdt::ByteView& bytes) {
    std::uint64_t size = bytes.size();
    direction_.number(Numbers::kContentSize, size);
    direction_.content(column, size, bytes);
  }

  void sections(Form form, crdt::ClientId sender, Shape& shape) {
    std::size_t index = 0;
    for (Shape::Section& section : shape.sections) {
      if (form == Form::kSeveral) count(section.blocks);
      client(Numbers::kClient, sender, section.client);
      const std::uint64_t client_index = known_index(section.client);
      near(Numbers::kClock, guesses_.next_clock(client_index), section.clock);
      crdt::Id id{section.client, section.clock};
      for (std::uint64_t i = 0; i < section.blocks; ++i) {
        Shape::Block& here = next(shape.blocks, index++);
        block(id, here);
        id.clock += here.units;
      }
      guesses_.reached(client_index, id.clock);
    }
  }

  void block(crdt::Id id, Shape::Block& block) {
    std::uint64_t info = block.info;
    direction_.number(Numbers::kInfo, info);
    block.info = static_cast<std::uint8_t>(info);

    std::optional<crdt::Id> origin;
    std::optional<crdt::Id> right;
    if (is_item(block.info)) {
      if (block.info & kHasOrigin) {
        among(
            Numbers::kOrigin, Guesses::kOriginGuesses,
            [&](std::uint64_t guess) { return guesses_.origin(guess, id); }, guesses_.near(),
            block.origin);
        origin = block.origin;
      }
      if (block.info & kHasRightOrigin) {
        among(
            Numbers::kRightOrigin, 1,
            [&](std::uint64_t) { return origin ? guesses_.right_of(*origin) : std::nullopt; },
            origin.value_or(guesses_.near()), block.right_origin);
        right = block.right_origin;
      }
      if (names_parent(block.info)) content(Content::kContent, block.parent);
    }
    held(block);
    if (is_item(block.info)) guesses_.wrote(origin, right, id, block.units);
  }

  void held(Shape::Block& block) {
    switch (holds(block.info)) {
      case Holds::kUnits:
        direction_.number(Numbers::kUnits, block.units);
        break;
      case Holds::kText: {
        std::uint64_t size = block.content.size();
        direction_.number(Numbers::kSize, size);
        direction_.content(Content::kText, size, block.content);
        if constexpr (Direction::kIsReading) block.units = text_units(block.content);
        break;
      }
      case Holds::kContent:
        direction_.number(Numbers::kUnits, block.units);
        content(Content::kContent, block.content);
        break;
    }
  }

  // A place in the document: one of `guesses`, or one beside `beside`.
  template <class Guess>
  void among(Numbers column, std::uint64_t guesses, Guess guess, crdt::Id beside, crdt::Id& id) {
    std::uint64_t code = 0;
    if constexpr (!Direction::kIsReading) {
      while (code < guesses && guess(code) != id) ++code;
    }
    direction_.number(column, code);
    if (code >= guesses) return place(beside, id);
    const std::optional<crdt::Id> guessed = guess(code);
    if (!guessed) throw Malformed("a place that cannot be guessed");
    id = *guessed;
  }

  void place(crdt::Id beside, crdt::Id& id) {
    client(Numbers::kIdClient, beside.client, id.client);
    near(Numbers::kIdClock, beside.clock, id.clock);
    guesses_.jumped(id);
  }

  void deletions(Form form, crdt::ClientId sender, Shape& shape) {
    std::size_t index = 0;
    for (Shape::Deletions& of_client : shape.deletions) {
      if (form == Form::kSeveral) {
        count(of_client.ranges);
        client(Numbers::kIdClient, sender, of_client.client);
      }
      for (std::uint64_t i = 0; i < of_client.ranges; ++i) {
        deletion(form, of_client.client, next(shape.ranges, index++));
      }
    }
  }

  // Where it is the only one, its client is guessed with its clock.
  void deletion(Form form, crdt::ClientId& client, Shape::Range& range) {
    direction_.number(Numbers::kDeletionUnits, range.units);
    const crdt::ClientId known = client;
    const auto guess = [&](std::uint64_t number) {
      const std::optional<crdt::Id> guessed = guesses_.deletion(number, range.units);
      const bool is_other = guessed && form == Form::kSeveral && guessed->client != known;
      return is_other ? std::nullopt : guessed;
    };
    crdt::Id id{client, range.clock};
    const crdt::Id near = guesses_.near();
    among(Numbers::kDeletion, Guesses::kDeletionGuesses, guess,
          form == Form::kSeveral ? crdt::Id{known, near.clock} : near, id);
    client = id.client;
    range.clock = id.clock;
    guesses_.deleted(id, range.units);
  }

  Direction direction_;
  Guesses guesses_;
};

}  // namespace palimpsest::storage::log
