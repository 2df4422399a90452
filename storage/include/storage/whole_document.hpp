#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/bytes.hpp"
#include "crdt/doc.hpp"
#include "crdt/id.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage {

// Puts a whole document together from the entries of its log, to be stored by Writer::create():
// replays them, packs them and notes who wrote what. Nothing of it is stored before all of it has
// passed.
//
// Home:   one thread.
// Errors: crdt::DecodeError for bytes that are no update, or none that a document takes: its offset
//         is one in those bytes. What was added before is of no use then.
// Cost:   applying each update and packing it, some 10 µs; memory of the document and of its packed
//         log.
class WholeDocumentBuilder {
 public:
  WholeDocumentBuilder(std::string name, std::uint64_t generation);
  ~WholeDocumentBuilder();
  WholeDocumentBuilder(WholeDocumentBuilder&&) noexcept;
  WholeDocumentBuilder& operator=(WholeDocumentBuilder&&) noexcept;

  // The name of a client; "" where none is said. To be said before what the client brings.
  void name_client(crdt::ClientId client, std::string name);
  // The next entry; its seq is not looked at.
  void add(const EntryView& entry);
  // A stretch of the log as it was packed: what follows the last one, to the byte. Throws
  // DecodeError also where the stretch is no such thing, or larger than any of ours.
  void add_packed(const PackedStretch& stretch);

  Seq last_seq() const;
  // What it says, by now.
  const crdt::Doc& document() const;

  // `title`, `excerpt`: as of a checkpoint. Not without an entry.
  WholeDocument finish(std::string title, std::string excerpt) &&;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace palimpsest::storage
