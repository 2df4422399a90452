#pragma once

#include <optional>
#include <string_view>

#include "collect_events.hpp"
#include "core.hpp"
#include "crdt/shared_type.hpp"
#include "format.hpp"

namespace palimpsest::crdt::internal {

// Formatting values are compared by what they say: two equal objects are the same formatting. None
// is null.
bool same_value(const FormatValue* a, const FormatValue* b);

// A local change in the making: what Yjs' shared types do to their items when they are edited.
class Writing {
 public:
  // With a request, commit() also tells what the change did.
  Writing(Core& core, ClientId client, std::optional<EventRequest> request = std::nullopt)
      : core_(core), change_(core.begin()), client_(core.client_index(client)), request_(request) {}

  // --- Text (write.cpp) ---

  void text_insert(TypeIndex text, std::size_t index, std::string_view utf8, const Any* attributes);
  void text_embed(TypeIndex text, std::size_t index, const Any& embed, const Any& attributes);
  Id text_embed(TypeIndex text, std::size_t index, NewType type, const Any& attributes);
  void text_delete(TypeIndex text, std::size_t index, std::size_t length);
  void text_format(TypeIndex text, std::size_t index, std::size_t length, const Any& attributes);
  // (write_delta.cpp)
  void text_apply(TypeIndex text, const Any& delta);

  // --- Arrays and maps (write_values.cpp) ---

  void array_insert(TypeIndex array, std::size_t index, const Any::Array& values);
  Id array_insert(TypeIndex array, std::size_t index, NewType type);
  void array_delete(TypeIndex array, std::size_t index, std::size_t length);
  void map_set(TypeIndex map, std::string_view key, const Any& value);
  Id map_set(TypeIndex map, std::string_view key, NewType type);
  void map_delete(TypeIndex map, std::string_view key);

  // --- Undoing (undo.cpp; restore.cpp) ---

  Undone undo(const ChangeSet& changes);
  Undone restore(const Snapshot& moment);
  Undone restore(TypeIndex type, const Snapshot& moment);
  Undone restore(TypeIndex text, Transaction::Range range, const Snapshot& moment);

  // Ends the change; the update that tells others, empty when there is nothing to tell.
  Bytes commit();

  Core& core() { return core_; }

 private:
  friend class Undoing;

  // What a new item is to carry.
  struct Content {
    Kind kind;
    std::size_t length = 1;
    ByteView bytes = {};                // not of a type
    NewType type = {SharedType::kMap};  // of a type
  };

  // Between two neighbours of a text, and the formatting in force there (Yjs:
  // ItemTextListPosition).
  struct Position {
    BlockIndex left = kNone;
    BlockIndex right = kNone;
    Attributes<FormatValue> attributes;
  };

  // Throws std::out_of_range when the list is shorter. O(log n), times the keys in a text with
  // formatting.
  Position find(TypeIndex list, std::size_t index);
  // The same without the formatting.
  Position find_place(TypeIndex list, std::size_t index);
  // A key pressed where the caret is, behind or before it: what Core::apply_keystroke() does for an
  // update. False, and nothing done, where it is anything else, or where events are to be told.
  bool type_at_caret(TypeIndex text, std::size_t index, std::string_view utf8, std::size_t length);
  bool erase_at_caret(TypeIndex text, std::size_t index, std::size_t length);
  // Behind `item`, at `index`.
  void set_caret(TypeIndex text, std::size_t index, BlockIndex item);
  // Whether the position is between the two units of one character.
  bool is_inside_pair(TypeIndex text, std::size_t index) const;
  void step(Position& position);
  void cut_right(const Position& position, std::size_t units);
  // Answers the new item, which is left of the position then.
  BlockIndex insert(TypeIndex parent, Position& position, const Content& content);
  BlockIndex insert_formatted(TypeIndex text, Position position, const Content& content,
                              const Any* attributes);
  // As the value of the key, behind the one that it has.
  BlockIndex set_entry(TypeIndex map, std::string_view key, const Content& content);
  BlockIndex set_entry_behind(BlockIndex left, SlotIndex slot, const Content& content);
  void insert_mark(TypeIndex text, Position& position, std::string_view key,
                   const std::string& json);
  void skip_marks_in_force(Position& position, const Attributes<FormatValue>& wanted);
  Attributes<FormatValue> insert_marks(TypeIndex text, Position& position,
                                       const Attributes<FormatValue>& wanted);
  void insert_negated_marks(TypeIndex text, Position& position, Attributes<FormatValue> negated);
  void format(TypeIndex text, std::size_t index, std::size_t length,
              const Attributes<FormatValue>& wanted);
  void set_formatting(TypeIndex text, std::size_t index, std::size_t length,
                      const Attributes<FormatValue>& wanted);
  // Deletes from a list without formatting; answers what stands before. Throws std::out_of_range
  // when the list is shorter. O(log n) for each item that is deleted, however many are already.
  BlockIndex erase_range(TypeIndex list, std::size_t index, std::size_t length);
  // Deletes what is visible right of the position, which goes behind it.
  void erase_right(Position& position, std::size_t length);
  // With its content stored, but no place yet.
  Block new_item(TypeIndex parent, const Content& content);
  Id id_of(BlockIndex item) const;

  Core& core_;
  Change& change_;
  ClientIndex client_;
  std::optional<EventRequest> request_;
};

}  // namespace palimpsest::crdt::internal
