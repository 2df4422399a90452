#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crdt/id.hpp"

namespace palimpsest::crdt {

// What a shared type is. Of a root that nobody has typed the data does not say.
enum class SharedType : std::uint8_t {
  kArray,
  kMap,
  kText,
  kXmlElement,
  kXmlFragment,
  kXmlHook,
  kXmlText,
};

// A shared type to be made inside another.
struct NewType {
  SharedType kind;
  std::string_view name = {};  // of an XML element or hook
};

// Names a shared type of a document: a root by its name, a nested one by the id of the item that
// carries it (Doc::nested() and the inserting calls of Transaction answer that).
//
// Lifetime: borrows the name.
class TypeRef {
 public:
  TypeRef(const char* root) : root_(root) {}
  TypeRef(std::string_view root) : root_(root) {}
  TypeRef(const std::string& root) : root_(root) {}
  TypeRef(Id item) : item_(item) {}

  bool is_root() const { return !item_.has_value(); }
  std::string_view root() const { return root_; }
  Id item() const { return *item_; }

 private:
  std::string_view root_;
  std::optional<Id> item_;
};

}  // namespace palimpsest::crdt
