#include <cmath>
#include <stdexcept>

#include "crdt/reader.hpp"
#include "find_type.hpp"
#include "write.hpp"

namespace palimpsest::crdt::internal {
namespace {

// One operation of a Quill delta.
struct Operation {
  enum class Kind { kText, kEmbed, kRetain, kDelete };

  Kind kind;
  const Any* insert = nullptr;
  std::size_t length = 0;           // retained or deleted, or of the text
  const Any* attributes = nullptr;  // where it has some
};

[[noreturn]] void refuse(const char* cause) { throw std::invalid_argument(cause); }

std::size_t to_length(const Any& value) {
  const auto* const number = value.get_if<double>();
  if (number == nullptr || !(*number >= 0) || *number > static_cast<double>(kMaxSafeInteger) ||
      std::trunc(*number) != *number) {
    refuse("a delta's retain and delete are whole numbers");
  }
  return static_cast<std::size_t>(*number);
}

Operation read_operation(const Any& value) {
  const Any* const attributes = value.find("attributes");
  const bool is_plain = attributes == nullptr || attributes->get_if<Any::Null>() != nullptr ||
                        attributes->get_if<Any::Undefined>() != nullptr;
  if (!is_plain && attributes->get_if<Any::Object>() == nullptr) {
    refuse("a delta's attributes are an object");
  }
  Operation operation{Operation::Kind::kEmbed, value.find("insert"), 1,
                      is_plain ? nullptr : attributes};
  if (operation.insert != nullptr) {
    if (const auto* const text = operation.insert->get_if<std::string>()) {
      if (!is_utf8(*text)) refuse("the text is not UTF-8");
      operation.kind = Operation::Kind::kText;
      operation.length = length_utf16(*text);
    }
  } else if (const Any* const retained = value.find("retain")) {
    operation.kind = Operation::Kind::kRetain;
    operation.length = to_length(*retained);
  } else if (const Any* const deleted = value.find("delete")) {
    operation.kind = Operation::Kind::kDelete;
    operation.length = to_length(*deleted);
  } else {
    refuse("an operation of a delta inserts, retains or deletes");
  }
  return operation;
}

std::vector<Operation> read_delta(const Any& delta, std::size_t length) {
  const auto* const elements = delta.get_if<Any::Array>();
  if (elements == nullptr) refuse("a delta is an array of operations");
  std::vector<Operation> operations;
  for (const Any& element : *elements) {
    const Operation operation = operations.emplace_back(read_operation(element));
    if (operation.insert != nullptr) continue;
    if (operation.length > length) throw std::out_of_range("a delta longer than the text");
    length -= operation.length;
  }
  return operations;
}

}  // namespace

void Writing::text_apply(TypeIndex text, const Any& delta) {
  const Any plain(Any::Object{});
  std::size_t index = 0;
  for (const Operation& operation : read_delta(delta, visible_length(core_, text))) {
    const Any& attributes = operation.attributes != nullptr ? *operation.attributes : plain;
    switch (operation.kind) {
      case Operation::Kind::kText:
        text_insert(text, index, *operation.insert->get_if<std::string>(), &attributes);
        break;
      case Operation::Kind::kEmbed:
        text_embed(text, index, *operation.insert, attributes);
        break;
      case Operation::Kind::kRetain:
        if (operation.attributes != nullptr) text_format(text, index, operation.length, attributes);
        break;
      case Operation::Kind::kDelete:
        text_delete(text, index, operation.length);
        continue;
    }
    index += operation.length;
  }
}

}  // namespace palimpsest::crdt::internal
