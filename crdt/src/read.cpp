#include "read.hpp"

#include <algorithm>
#include <cmath>

#include "crdt/reader.hpp"
#include "format.hpp"
#include "json.hpp"

namespace palimpsest::crdt::internal {
namespace {

Any parse_element(std::string_view json) { return json == "undefined" ? Any() : parse_json(json); }

using AnyAttributes = Attributes<Any>;

Any::Object to_object(const AnyAttributes& attributes) {
  return Any::Object(attributes.entries().begin(), attributes.entries().end());
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// What JavaScript's for…in finds in a formatting value: the members of an object, the elements of
// an array, the characters of a string.
std::vector<std::pair<std::string, std::string>> enumerable(const Any& value) {
  std::vector<std::pair<std::string, std::string>> found;
  if (const auto* members = value.get_if<Any::Object>()) {
    for (const auto& [key, member] : *members) found.emplace_back(key, to_js_string(member));
  } else if (const auto* elements = value.get_if<Any::Array>()) {
    for (const Any& element : *elements) {
      found.emplace_back(std::to_string(found.size()), to_js_string(element));
    }
  } else if (const auto* text = value.get_if<std::string>()) {
    for (std::size_t i = 0; i < text->size();) {
      const std::size_t next = i + std::max<std::size_t>(1, offset_of_utf16(text->substr(i), 1));
      found.emplace_back(std::to_string(found.size()), text->substr(i, next - i));
      i = next;
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string to_js_string(const Any& value) {
  if (value.get_if<Any::Undefined>() != nullptr) return "undefined";
  if (value.get_if<Any::Null>() != nullptr) return "null";
  if (const auto* boolean = value.get_if<bool>()) return *boolean ? "true" : "false";
  if (const auto* number = value.get_if<double>()) {
    std::string text;
    append_number(text, *number);
    return text;
  }
  if (const auto* number = value.get_if<Any::BigInt>()) return std::to_string(number->value);
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* bytes = value.get_if<Bytes>()) {
    std::string text;
    for (const std::uint8_t byte : *bytes) text += (text.empty() ? "" : ",") + std::to_string(byte);
    return text;
  }
  if (const auto* elements = value.get_if<Any::Array>()) {
    std::string text;
    bool first = true;
    for (const Any& element : *elements) {
      if (!first) text += ',';
      first = false;
      const bool is_empty =
          element.get_if<Any::Undefined>() != nullptr || element.get_if<Any::Null>() != nullptr;
      if (!is_empty) text += to_js_string(element);
    }
    return text;
  }
  return "[object Object]";
}

template <class Visit>
void ValueReader::for_each_element(const Block& item, Visit&& visit) const {
  if (item.kind == Kind::kType) return visit(Any(Any::Null{}), item.content);
  Reader reader(core_.content_of(item));
  switch (item.kind) {
    case Kind::kAny:
      while (!reader.at_end()) visit(Any::read(reader), kNone);
      return;
    case Kind::kJson:
      while (!reader.at_end()) visit(parse_element(reader.read_var_string()), kNone);
      return;
    case Kind::kEmbed:
      return visit(parse_json(reader.read_var_string()), kNone);
    case Kind::kBinary: {
      const ByteView bytes = reader.read_var_bytes();
      return visit(Any(Bytes(bytes.begin(), bytes.end())), kNone);
    }
    case Kind::kDoc: {
      std::string guid(reader.read_var_string());
      const Any options = Any::read(reader);
      const auto* const members = options.get_if<Any::Object>();
      return visit(Any(Any::SubDocument{std::move(guid), members ? *members : Any::Object{}}),
                   kNone);
    }
    default:
      return;
  }
}

template <class Visit>
void ValueReader::for_each_entry(TypeIndex type, Visit&& visit) const {
  for (SlotIndex s = core_.types[type].first_slot; s != kNone; s = core_.slots[s].next) {
    const Slot& slot = core_.slots[s];
    if (slot.last == kNone || core_.blocks[slot.last].deleted) continue;
    const Block& item = core_.blocks[slot.last];
    if (item.kind == Kind::kString) {
      visit(core_.names[slot.key], Any(as_text(core_.content_of(item))), kNone);
      continue;
    }
    Any value;
    TypeIndex nested = kNone;
    for_each_element(item, [&](Any element, TypeIndex element_type) {
      value = std::move(element);
      nested = element_type;
    });
    visit(core_.names[slot.key], value, nested);
  }
}

Any ValueReader::json(TypeIndex type, std::size_t depth) const {
  if (depth > kMaxReadDepth) return Any(Any::Null{});
  switch (core_.types[type].kind) {
    case TypeKind::kArray:
      return array(type, depth);
    case TypeKind::kMap:
    case TypeKind::kXmlHook:
      return map(type, depth);
    default:
      return Any(string(type, depth));
  }
}

std::string ValueReader::string(TypeIndex type, std::size_t depth) const {
  if (depth > kMaxReadDepth) return {};
  switch (core_.types[type].kind) {
    case TypeKind::kText:
      return text(type);
    case TypeKind::kXmlText:
      return xml_text(type, depth);
    case TypeKind::kXmlElement:
      return xml_element(type, depth);
    case TypeKind::kXmlFragment:
      return xml_children(type, depth);
    default:
      return "[object Object]";
  }
}

Any ValueReader::element_json(const Any& value, TypeIndex type, std::size_t depth) const {
  return type == kNone ? value : json(type, depth + 1);
}

std::string ValueReader::element_string(const Any& value, TypeIndex type, std::size_t depth) const {
  return type == kNone ? to_js_string(value) : string(type, depth + 1);
}

std::string ValueReader::text(TypeIndex type) const {
  std::string text;
  if (core_.types.size() == 1 && core_.clients.size() == 1) {
    text.reserve(core_.clients.front().content.size());
  }
  for (BlockIndex i = core_.types[type].start; i != kNone; i = core_.blocks[i].right) {
    const Block& item = core_.blocks[i];
    if (!item.deleted && item.kind == Kind::kString) text += as_text(core_.content_of(item));
  }
  return text;
}

Any ValueReader::array(TypeIndex type, std::size_t depth) const {
  Any::Array elements;
  for (BlockIndex i = core_.types[type].start; i != kNone; i = core_.blocks[i].right) {
    const Block& item = core_.blocks[i];
    if (!item.is_visible()) continue;
    if (item.kind == Kind::kString) {
      // Text read as an array is its UTF-16 units; a pair stays together here.
      const std::string_view text = as_text(core_.content_of(item));
      for (std::size_t at = 0; at < text.size();) {
        std::size_t next = at + 1;
        while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80)
          ++next;
        elements.emplace_back(text.substr(at, next - at));
        at = next;
      }
      continue;
    }
    for_each_element(item, [&](const Any& value, TypeIndex nested) {
      elements.push_back(element_json(value, nested, depth));
    });
  }
  return Any(std::move(elements));
}

Any ValueReader::map(TypeIndex type, std::size_t depth) const {
  Any::Object members;
  for_each_entry(type, [&](std::string_view key, const Any& value, TypeIndex nested) {
    members.emplace_back(std::string(key), element_json(value, nested, depth));
  });
  return Any(std::move(members));
}

template <class OnText, class OnEmbed>
void ValueReader::for_each_run(TypeIndex type, OnText&& on_text, OnEmbed&& on_embed) const {
  AnyAttributes attributes;
  std::string text;
  const auto flush = [&] {
    if (!text.empty()) on_text(text, attributes);
    text.clear();
  };
  for (BlockIndex i = core_.types[type].start; i != kNone; i = core_.blocks[i].right) {
    const Block& item = core_.blocks[i];
    if (item.deleted) continue;
    if (item.kind == Kind::kString) {
      text += as_text(core_.content_of(item));
    } else if (item.kind == Kind::kFormat) {
      flush();
      const FormatMark mark = format_mark(core_, item);
      if (mark.ends()) {
        attributes.erase(mark.key);
      } else {
        attributes.set(mark.key, parse_json(mark.json));
      }
    } else if (item.kind == Kind::kEmbed || item.kind == Kind::kType) {
      flush();
      for_each_element(
          item, [&](const Any& value, TypeIndex nested) { on_embed(value, nested, attributes); });
    }
  }
  flush();
}

Any ValueReader::delta(TypeIndex type, std::size_t depth) const {
  Any::Array operations;
  const auto add = [&](Any insert, const AnyAttributes& attributes) {
    Any::Object operation{{"insert", std::move(insert)}};
    if (!attributes.empty()) operation.emplace_back("attributes", Any(to_object(attributes)));
    operations.emplace_back(std::move(operation));
  };
  for_each_run(
      type,
      [&](const std::string& text, const AnyAttributes& attributes) { add(Any(text), attributes); },
      [&](const Any& value, TypeIndex nested, const AnyAttributes& attributes) {
        add(element_json(value, nested, depth), attributes);
      });
  return Any(std::move(operations));
}

std::string ValueReader::xml_children(TypeIndex type, std::size_t depth) const {
  std::string xml;
  for (BlockIndex i = core_.types[type].start; i != kNone; i = core_.blocks[i].right) {
    const Block& item = core_.blocks[i];
    if (!item.is_visible()) continue;
    if (item.kind == Kind::kString) {
      xml += as_text(core_.content_of(item));
      continue;
    }
    for_each_element(item, [&](const Any& value, TypeIndex nested) {
      xml += element_string(value, nested, depth);
    });
  }
  return xml;
}

std::string ValueReader::xml_element(TypeIndex type, std::size_t depth) const {
  std::vector<std::pair<std::string, std::string>> attributes;
  for_each_entry(type, [&](std::string_view key, const Any& value, TypeIndex nested) {
    attributes.emplace_back(std::string(key), element_string(value, nested, depth));
  });
  std::sort(attributes.begin(), attributes.end());
  const NameIndex name_index = core_.types[type].name;
  const std::string name = name_index == kNone ? "" : ascii_lower(core_.names[name_index]);
  std::string xml = "<" + name;
  for (const auto& [key, value] : attributes) xml += " " + key + "=\"" + value + "\"";
  return xml + ">" + xml_children(type, depth) + "</" + name + ">";
}

std::string ValueReader::xml_text(TypeIndex type, std::size_t depth) const {
  std::string xml;
  const auto add = [&](std::string_view content, const AnyAttributes& attributes) {
    auto nodes = attributes.entries();
    std::sort(nodes.begin(), nodes.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [name, value] : nodes) {
      xml += "<" + name;
      for (const auto& [key, attribute] : enumerable(value)) {
        xml += " " + key + "=\"" + attribute + "\"";
      }
      xml += ">";
    }
    xml += content;
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) xml += "</" + node->first + ">";
  };
  for_each_run(
      type,
      [&](const std::string& text, const AnyAttributes& attributes) { add(text, attributes); },
      [&](const Any& value, TypeIndex nested, const AnyAttributes& attributes) {
        add(element_string(value, nested, depth), attributes);
      });
  return xml;
}

std::vector<EventValue> ValueReader::elements(const Block& item) const {
  if (item.kind == Kind::kString) return {{Any(as_text(core_.content_of(item))), std::nullopt}};
  std::vector<EventValue> values;
  for_each_element(item, [&](const Any& value, TypeIndex nested) {
    EventValue& element = values.emplace_back();
    element.value = element_json(value, nested, 0);
    if (nested != kNone) element.type = Id{core_.clients[item.client].id, item.clock};
  });
  return values;
}

Doc::RootKind ValueReader::guess_kind(TypeIndex type) const {
  bool is_xml = false;
  for (BlockIndex i = core_.types[type].start; i != kNone; i = core_.blocks[i].right) {
    const Block& item = core_.blocks[i];
    switch (item.kind) {
      case Kind::kString:
      case Kind::kFormat:
      case Kind::kEmbed:
        return Doc::RootKind::kText;
      case Kind::kType: {
        // XML holds nothing but XML; an array may hold it among other things.
        const TypeKind kind = core_.types[item.content].kind;
        is_xml = kind == TypeKind::kXmlElement || kind == TypeKind::kXmlText ||
                 kind == TypeKind::kXmlHook;
        if (!is_xml) return Doc::RootKind::kArray;
        break;
      }
      case Kind::kAny:
      case Kind::kJson:
      case Kind::kBinary:
      case Kind::kDoc:
        return Doc::RootKind::kArray;
      default:
        break;  // deleted: says nothing
    }
  }
  if (is_xml) return Doc::RootKind::kXml;
  return core_.types[type].first_slot != kNone ? Doc::RootKind::kMap : Doc::RootKind::kEmpty;
}

}  // namespace palimpsest::crdt::internal
