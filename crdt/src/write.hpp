#pragma once

#include <string_view>

#include "core.hpp"
#include "format.hpp"

namespace palimpsest::crdt::internal {

// A local change in the making: what Y.Text and Y.Map do to their items when they are edited.
class Writing {
 public:
  Writing(Core& core, ClientId client)
      : core_(core), change_(core.begin()), client_(core.client_index(client)) {}

  void text_insert(TypeIndex text, std::size_t index, std::string_view utf8, const Any* attributes);
  void text_delete(TypeIndex text, std::size_t index, std::size_t length);
  void text_format(TypeIndex text, std::size_t index, std::size_t length, const Any& attributes);
  void map_set(TypeIndex map, std::string_view key, const Any& value);
  void map_delete(TypeIndex map, std::string_view key);

  // Ends the change; the update that tells others, empty when there is nothing to tell.
  Bytes commit();

  Core& core() { return core_; }

 private:
  // Between two neighbours of a text, and the formatting in force there (Yjs:
  // ItemTextListPosition).
  struct Position {
    BlockIndex left = kNone;
    BlockIndex right = kNone;
    Attributes<FormatValue> attributes;
  };

  // Throws std::out_of_range when the text is shorter.
  Position find(TypeIndex text, std::size_t index);
  // Whether the position is between the two units of one character.
  bool is_inside_pair(TypeIndex text, std::size_t index) const;
  void step(Position& position);
  void cut_right(const Position& position, std::size_t units);
  void insert(TypeIndex text, Position& position, Kind kind, ByteView content, std::size_t length);
  void insert_mark(TypeIndex text, Position& position, std::string_view key,
                   const std::string& json);
  void skip_marks_in_force(Position& position, const Attributes<FormatValue>& wanted);
  Attributes<FormatValue> insert_marks(TypeIndex text, Position& position,
                                       const Attributes<FormatValue>& wanted);
  void insert_negated_marks(TypeIndex text, Position& position, Attributes<FormatValue> negated);
  Block new_item(Kind kind, std::size_t length) const;

  Core& core_;
  Change& change_;
  ClientIndex client_;
};

}  // namespace palimpsest::crdt::internal
