#include "crdt/any.hpp"

#include <cmath>

#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/writer.hpp"
#include "json.hpp"

namespace palimpsest::crdt {
namespace {

// any := byte(tag) value; the tags of lib0/encoding.js writeAny
enum Tag : std::uint8_t {
  kBytes = 116,   // varUint8Array
  kArray = 117,   // varUint(count) any*
  kObject = 118,  // varUint(count) (varString any)*
  kString = 119,  // varString
  kTrue = 120,
  kFalse = 121,
  kBigInt = 122,  // 8 bytes
  kFloat64 = 123,
  kFloat32 = 124,
  kInteger = 125,  // varInt
  kNull = 126,
  kUndefined = 127,
};

constexpr double kLargestInteger = 2147483647;  // what lib0 writes as varInt

bool is_float32(double number) { return static_cast<double>(static_cast<float>(number)) == number; }

Any read_value(Reader& reader, std::size_t depth);

Any read_array(Reader& reader, std::size_t depth) {
  const std::uint64_t count = reader.read_count(1, "more elements than the bytes can hold");
  Any::Array elements;
  for (std::uint64_t i = 0; i < count; ++i) elements.push_back(read_value(reader, depth + 1));
  return Any(std::move(elements));
}

Any read_object(Reader& reader, std::size_t depth) {
  const std::uint64_t count = reader.read_count(2, "more members than the bytes can hold");
  Any::Object members;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key(reader.read_var_string());
    Any value = read_value(reader, depth + 1);
    members.emplace_back(std::move(key), std::move(value));
  }
  return Any(std::move(members));
}

Any read_integer(Reader& reader) {
  const Reader::VarInt integer = reader.read_var_int();
  return Any(integer.negative_zero ? -0.0 : static_cast<double>(integer.value));
}

Any read_value(Reader& reader, std::size_t depth) {
  if (depth > Any::kMaxDepth) reader.fail("a value nested too deep");
  const std::size_t start = reader.position();
  switch (reader.read_byte()) {
    case kUndefined:
      return Any();
    case kNull:
      return Any(Any::Null{});
    case kInteger:
      return read_integer(reader);
    case kFloat32:
      return Any(static_cast<double>(reader.read_float32()));
    case kFloat64:
      return Any(reader.read_float64());
    case kBigInt:
      return Any(Any::BigInt{reader.read_big_int64()});
    case kFalse:
      return Any(false);
    case kTrue:
      return Any(true);
    case kString:
      return Any(reader.read_var_string());
    case kObject:
      return read_object(reader, depth);
    case kArray:
      return read_array(reader, depth);
    case kBytes: {
      const ByteView bytes = reader.read_var_bytes();
      return Any(Bytes(bytes.begin(), bytes.end()));
    }
    default:
      reader.fail_at(start, "an unknown kind of value");
  }
}

void skip_value(Reader& reader, std::size_t depth) {
  if (depth > Any::kMaxDepth) reader.fail("a value nested too deep");
  const std::size_t start = reader.position();
  switch (reader.read_byte()) {
    case kUndefined:
    case kNull:
    case kFalse:
    case kTrue:
      return;
    case kInteger:
      reader.read_var_int();
      return;
    case kFloat32:
      reader.read_bytes(4);
      return;
    case kFloat64:
    case kBigInt:
      reader.read_bytes(8);
      return;
    case kString:
      reader.read_var_string();
      return;
    case kBytes:
      reader.read_var_bytes();
      return;
    case kObject: {
      const std::uint64_t count = reader.read_count(2, "more members than the bytes can hold");
      for (std::uint64_t i = 0; i < count; ++i) {
        reader.read_var_string();
        skip_value(reader, depth + 1);
      }
      return;
    }
    case kArray: {
      const std::uint64_t count = reader.read_count(1, "more elements than the bytes can hold");
      for (std::uint64_t i = 0; i < count; ++i) skip_value(reader, depth + 1);
      return;
    }
    default:
      reader.fail_at(start, "an unknown kind of value");
  }
}

struct AnyWriter {
  Writer& writer;

  void operator()(Any::Undefined) { writer.write_byte(kUndefined); }
  void operator()(Any::Null) { writer.write_byte(kNull); }
  void operator()(bool boolean) { writer.write_byte(boolean ? kTrue : kFalse); }
  void operator()(double number) {
    if (std::trunc(number) == number && std::fabs(number) <= kLargestInteger) {
      writer.write_byte(kInteger);
      writer.write_var_int(static_cast<std::int64_t>(number), number == 0 && std::signbit(number));
    } else if (is_float32(number)) {
      writer.write_byte(kFloat32);
      writer.write_float32(static_cast<float>(number));
    } else {
      writer.write_byte(kFloat64);
      writer.write_float64(number);
    }
  }
  void operator()(Any::BigInt number) {
    writer.write_byte(kBigInt);
    writer.write_big_int64(number.value);
  }
  void operator()(const std::string& text) {
    writer.write_byte(kString);
    writer.write_var_string(text);
  }
  void operator()(const Bytes& bytes) {
    writer.write_byte(kBytes);
    writer.write_var_bytes(bytes);
  }
  void operator()(const Any::Array& elements) {
    writer.write_byte(kArray);
    writer.write_var_uint(elements.size());
    for (const Any& element : elements) element.write(writer);
  }
  void operator()(const Any::Object& members) {
    writer.write_byte(kObject);
    writer.write_var_uint(members.size());
    for (const auto& [key, value] : members) {
      writer.write_var_string(key);
      value.write(writer);
    }
  }
  void operator()(const Any::SubDocument&) { (*this)(Any::Object{}); }
};

}  // namespace

Any::Any(const Any&) = default;
Any::Any(Any&&) noexcept = default;
Any& Any::operator=(const Any&) = default;
Any& Any::operator=(Any&&) noexcept = default;
Any::~Any() = default;

bool operator==(const Any::SubDocument& a, const Any::SubDocument& b) {
  return a.guid == b.guid && a.options == b.options;
}

bool operator==(const Any& a, const Any& b) { return a.value_ == b.value_; }

const Any* Any::find(std::string_view key) const {
  const auto* members = get_if<Object>();
  if (members == nullptr) return nullptr;
  for (const auto& [name, value] : *members) {
    if (name == key) return &value;
  }
  return nullptr;
}

Any Any::read(Reader& reader) { return read_value(reader, 0); }

void Any::skip(Reader& reader) { skip_value(reader, 0); }

void Any::skip_object(Reader& reader, const char* cause) {
  if (!reader.at_end() && *reader.data() != kObject) reader.fail(cause);
  skip(reader);
}

void Any::write(Writer& writer) const { std::visit(AnyWriter{writer}, value_); }

std::string Any::to_json() const {
  std::string out;
  internal::append_json(out, *this);
  return out;
}

Any Any::from_json(std::string_view json) { return internal::parse_json(json); }

}  // namespace palimpsest::crdt
