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

Transaction::Transaction(Doc& doc, ClientId client)
    : writing_(std::make_unique<internal::Writing>(*doc.core_, client)) {}

Transaction::Transaction(Doc& doc, ClientId client, Events& events,
                         std::span<const std::string> text_roots)
    : writing_(std::make_unique<internal::Writing>(*doc.core_, client,
                                                   internal::EventRequest{text_roots, events})) {}

// A change that was left by an exception ends here; what it did stays, as in Yjs.
Transaction::~Transaction() {
  if (writing_ != nullptr) writing_->commit();
}

Bytes Transaction::commit() {
  Bytes update = writing_->commit();
  writing_.reset();
  return update;
}

void Transaction::text_insert(const TypeRef& text, std::size_t index_utf16, std::string_view utf8) {
  writing_->text_insert(to_write(*writing_, text), index_utf16, utf8, nullptr);
}

void Transaction::text_insert(const TypeRef& text, std::size_t index_utf16, std::string_view utf8,
                              const Any& attributes) {
  writing_->text_insert(to_write(*writing_, text), index_utf16, utf8, &attributes);
}

void Transaction::text_embed(const TypeRef& text, std::size_t index_utf16, const Any& embed,
                             const Any& attributes) {
  writing_->text_embed(to_write(*writing_, text), index_utf16, embed, attributes);
}

Id Transaction::text_embed(const TypeRef& text, std::size_t index_utf16, NewType type,
                           const Any& attributes) {
  return writing_->text_embed(to_write(*writing_, text), index_utf16, type, attributes);
}

void Transaction::text_delete(const TypeRef& text, std::size_t index_utf16,
                              std::size_t length_utf16) {
  writing_->text_delete(to_write(*writing_, text), index_utf16, length_utf16);
}

void Transaction::text_format(const TypeRef& text, std::size_t index_utf16,
                              std::size_t length_utf16, const Any& attributes) {
  writing_->text_format(to_write(*writing_, text), index_utf16, length_utf16, attributes);
}

void Transaction::text_apply(const TypeRef& text, const Any& delta) {
  writing_->text_apply(to_write(*writing_, text), delta);
}

void Transaction::array_insert(const TypeRef& array, std::size_t index, const Any::Array& values) {
  writing_->array_insert(to_write(*writing_, array), index, values);
}

Id Transaction::array_insert(const TypeRef& array, std::size_t index, NewType type) {
  return writing_->array_insert(to_write(*writing_, array), index, type);
}

void Transaction::array_delete(const TypeRef& array, std::size_t index, std::size_t length) {
  writing_->array_delete(to_write(*writing_, array), index, length);
}

void Transaction::map_set(const TypeRef& map, std::string_view key, const Any& value) {
  writing_->map_set(to_write(*writing_, map), key, value);
}

Id Transaction::map_set(const TypeRef& map, std::string_view key, NewType type) {
  return writing_->map_set(to_write(*writing_, map), key, type);
}

void Transaction::map_delete(const TypeRef& map, std::string_view key) {
  writing_->map_delete(to_write(*writing_, map), key);
}

Undone Transaction::undo(const ChangeSet& changes) { return writing_->undo(changes); }

Undone Transaction::restore(const Snapshot& moment) { return writing_->restore(moment); }

Undone Transaction::restore(const TypeRef& type, const Snapshot& moment) {
  return writing_->restore(to_write(*writing_, type), moment);
}

Undone Transaction::restore(const TypeRef& text, Range range, const Snapshot& moment) {
  return writing_->restore(to_write(*writing_, text), range, moment);
}

}  // namespace palimpsest::crdt
