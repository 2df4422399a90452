// What is read of a log: its rows, its segments and exported documents. Any bytes are either
// refused or come out as entries, in order, of a whole document that can be written again.
//
// input := kind: byte, byte*
//   kind mod 4: 0 a row, 1 a segment, 2 an exported document, 3 one whose pieces these are, each
//   behind its size as a byte: what no checksum keeps from being read
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crdt/error.hpp"
#include "log/number.hpp"
#include "log/row.hpp"
#include "log/segment.hpp"
#include "storage/export_file.hpp"
#include "storage/whole_document.hpp"

using namespace palimpsest;
using storage::Seq;

namespace {

constexpr Seq kEnd = 1'000'000;

template <class Read>
void read_entries(Read read) {
  Seq last = 0;
  try {
    const Seq begin = read([&](const storage::EntryView& entry) {
      if (last != 0 && entry.seq != last + 1) std::abort();
      last = entry.seq;
    });
    if (begin > kEnd || last != kEnd) std::abort();
  } catch (const storage::log::Malformed&) {
  }
}

storage::ExportReader::Read source(const crdt::Bytes& file) {
  return [&file, at = std::size_t{0}](std::span<std::uint8_t> bytes) mutable {
    const std::size_t count = std::min(bytes.size(), file.size() - at);
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), count, bytes.begin());
    at += count;
    return count;
  };
}

void write(const storage::WholeDocument& document) {
  Seq last = 0;
  for (const storage::PackedStretch& stretch : document.log) {
    if (stretch.first != last + 1) std::abort();
    last = stretch.last;
    storage::log::read_segment(stretch.bytes, stretch.last, stretch.first, stretch.last,
                               [](const storage::EntryView&) {});
  }
  if (last != document.checkpoint.seq) std::abort();
}

void import(const crdt::Bytes& file) {
  try {
    storage::ExportReader reader(source(file));
    do {
      storage::WholeDocumentBuilder builder("name", 1);
      while (const auto stretch = reader.next()) builder.add_packed(*stretch);
      if (builder.last_seq() > 0) write(std::move(builder).finish("", ""));
    } while (reader.next_document());
  } catch (const crdt::DecodeError& error) {
    (void)error.what();
  }
}

crdt::Bytes file_of_pieces(crdt::ByteView pieces) {
  crdt::Bytes file;
  storage::ExportWriter writer(
      [&](crdt::ByteView bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); });
  writer.head("{}");
  for (Seq seq = 1; !pieces.empty();) {
    const std::size_t size = std::min<std::size_t>(pieces[0], pieces.size() - 1);
    const crdt::ByteView piece = pieces.subspan(1, size);
    storage::PackedStretch stretch;
    stretch.first = seq;
    // As many entries as it says, so that more of it is looked at.
    stretch.last = size > 1 ? seq + piece[1] - 1 : seq;
    stretch.bytes.assign(piece.begin(), piece.end());
    writer.stretch(stretch);
    seq = stretch.last + 1;
    pieces = pieces.subspan(1 + size);
  }
  writer.end();
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const crdt::ByteView bytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      read_entries([&](const storage::EntryVisitor& visit) {
        return storage::log::read_row(bytes, kEnd, 1, kEnd, visit);
      });
      break;
    case 1:
      read_entries([&](const storage::EntryVisitor& visit) {
        storage::log::Source source(bytes);
        source.number();
        storage::log::check_foreign_segment(bytes, source.number());
        return storage::log::read_segment(bytes, kEnd, 1, kEnd, visit);
      });
      break;
    case 2:
      import({bytes.begin(), bytes.end()});
      break;
    default:
      import(file_of_pieces(bytes));
  }
  return 0;
}
