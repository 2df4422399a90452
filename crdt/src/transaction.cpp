#include <memory>
#include <new>

#include "crdt/doc.hpp"
#include "find_type.hpp"
#include "write.hpp"

namespace palimpsest::crdt {
namespace {

// Of the type, ready to be written to.
internal::TypeIndex to_write(internal::Writing& writing, const TypeRef& type) {
  return internal::type_to_write(writing.core(), type);
}

}  // namespace

inline internal::Writing& Transaction::writing() {
  return *std::launder(reinterpret_cast<internal::Writing*>(state_));
}

Transaction::Transaction(Doc& doc, ClientId client) {
  static_assert(sizeof(internal::Writing) <= sizeof(state_));
  static_assert(alignof(internal::Writing) <= kStateAlignment);
  std::construct_at(reinterpret_cast<internal::Writing*>(state_), *doc.core_, client);
}

Transaction::Transaction(Doc& doc, ClientId client, Events& events,
                         std::span<const std::string> text_roots) {
  std::construct_at(reinterpret_cast<internal::Writing*>(state_), *doc.core_, client,
                    internal::EventRequest{text_roots, events});
}

// A change that was left by an exception ends here; what it did stays, as in Yjs.
Transaction::~Transaction() {
  if (is_open_) writing().commit();
  std::destroy_at(&writing());
}

Bytes Transaction::commit() {
  Bytes update = writing().commit();
  is_open_ = false;
  return update;
}

void Transaction::text_insert(const TypeRef& text, std::size_t index_utf16, std::string_view utf8) {
  writing().text_insert(to_write(writing(), text), index_utf16, utf8, nullptr);
}

void Transaction::text_insert(const TypeRef& text, std::size_t index_utf16, std::string_view utf8,
                              const Any& attributes) {
  writing().text_insert(to_write(writing(), text), index_utf16, utf8, &attributes);
}

void Transaction::text_embed(const TypeRef& text, std::size_t index_utf16, const Any& embed,
                             const Any& attributes) {
  writing().text_embed(to_write(writing(), text), index_utf16, embed, attributes);
}

Id Transaction::text_embed(const TypeRef& text, std::size_t index_utf16, NewType type,
                           const Any& attributes) {
  return writing().text_embed(to_write(writing(), text), index_utf16, type, attributes);
}

void Transaction::text_delete(const TypeRef& text, std::size_t index_utf16,
                              std::size_t length_utf16) {
  writing().text_delete(to_write(writing(), text), index_utf16, length_utf16);
}

void Transaction::text_format(const TypeRef& text, std::size_t index_utf16,
                              std::size_t length_utf16, const Any& attributes) {
  writing().text_format(to_write(writing(), text), index_utf16, length_utf16, attributes);
}

void Transaction::text_apply(const TypeRef& text, const Any& delta) {
  writing().text_apply(to_write(writing(), text), delta);
}

void Transaction::array_insert(const TypeRef& array, std::size_t index, const Any::Array& values) {
  writing().array_insert(to_write(writing(), array), index, values);
}

Id Transaction::array_insert(const TypeRef& array, std::size_t index, NewType type) {
  return writing().array_insert(to_write(writing(), array), index, type);
}

void Transaction::array_delete(const TypeRef& array, std::size_t index, std::size_t length) {
  writing().array_delete(to_write(writing(), array), index, length);
}

void Transaction::map_set(const TypeRef& map, std::string_view key, const Any& value) {
  writing().map_set(to_write(writing(), map), key, value);
}

Id Transaction::map_set(const TypeRef& map, std::string_view key, NewType type) {
  return writing().map_set(to_write(writing(), map), key, type);
}

void Transaction::map_delete(const TypeRef& map, std::string_view key) {
  writing().map_delete(to_write(writing(), map), key);
}

Undone Transaction::undo(const ChangeSet& changes) { return writing().undo(changes); }

Undone Transaction::restore(const Snapshot& moment) { return writing().restore(moment); }

Undone Transaction::restore(const TypeRef& type, const Snapshot& moment) {
  return writing().restore(to_write(writing(), type), moment);
}

Undone Transaction::restore(const TypeRef& text, Range range, const Snapshot& moment) {
  return writing().restore(to_write(writing(), text), range, moment);
}

}  // namespace palimpsest::crdt
