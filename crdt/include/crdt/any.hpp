#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "crdt/bytes.hpp"

namespace palimpsest::crdt {

class Reader;
class Writer;

// A JavaScript value as lib0 encodes it ("any", lib0/encoding.js writeAny).
//
// Order of keys in an object is kept. Integers up to 2^31-1 in magnitude travel as varInt, other
// numbers as float32 where that is exact and float64 elsewhere.
class Any {
 public:
  struct Undefined {
    friend bool operator==(Undefined, Undefined) = default;
  };
  struct Null {
    friend bool operator==(Null, Null) = default;
  };
  struct BigInt {
    std::int64_t value;
    friend bool operator==(BigInt, BigInt) = default;
  };
  using Array = std::vector<Any>;
  using Object = std::vector<std::pair<std::string, Any>>;
  // A document in a document (Y.Doc as a value): only its name and options are here. It is no lib0
  // value: Transaction stores it in an array or a map, but inside of another value it is written as
  // what JSON.stringify makes of it, {}.
  struct SubDocument {
    std::string guid;
    Object options;  // as Yjs writes them: gc, autoLoad, meta

    friend bool operator==(const SubDocument&, const SubDocument&);
  };
  using Value = std::variant<Undefined, Null, bool, double, BigInt, std::string, Bytes, Array,
                             Object, SubDocument>;

  Any() = default;
  Any(Null null) : value_(null) {}
  Any(bool boolean) : value_(boolean) {}
  Any(int number) : value_(static_cast<double>(number)) {}
  Any(double number) : value_(number) {}
  Any(BigInt number) : value_(number) {}
  Any(const char* text) : value_(std::string(text)) {}
  Any(std::string text) : value_(std::move(text)) {}
  Any(std::string_view text) : value_(std::string(text)) {}
  Any(Bytes bytes) : value_(std::move(bytes)) {}
  Any(Array array) : value_(std::move(array)) {}
  Any(Object object) : value_(std::move(object)) {}
  Any(SubDocument document) : value_(std::move(document)) {}
  Any(const Any&);
  Any(Any&&) noexcept;
  Any& operator=(const Any&);
  Any& operator=(Any&&) noexcept;
  ~Any();

  const Value& value() const { return value_; }
  Value& value() { return value_; }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value_);
  }
  // The member of an object, or null when this is no object or has no such member.
  const Any* find(std::string_view key) const;

  // Throws DecodeError: bad form, or nested deeper than kMaxDepth.
  static Any read(Reader& reader);
  void write(Writer& writer) const;
  // Moves the reader past one value; checks what read() checks, without building it.
  static void skip(Reader& reader);
  // Refuses, for this cause, what is no object.
  static void skip_object(Reader& reader, const char* cause);

  // As JSON.stringify writes it; undefined as null, BigInt as a number, bytes as an object of
  // index → byte and a sub-document as {}, as Yjs' toJSON shows them.
  std::string to_json() const;
  // Throws DecodeError.
  static Any from_json(std::string_view json);

  friend bool operator==(const Any&, const Any&);

  // Deeper than any real client can write; JavaScript peers recurse.
  static constexpr std::size_t kMaxDepth = 512;

 private:
  Value value_;
};

}  // namespace palimpsest::crdt
