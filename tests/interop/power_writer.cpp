// power_writer DIRECTORY [--synchronous-normal]: writes to a store until it is killed, and says
// what is on disk: "DOCUMENT SEQ" on a line of its own after each commit. Checkpoints of both kinds
// come in between.
//
// --synchronous-normal sets behind the store's back what it never would: no fsync at each commit. A
// test that does not notice that notices nothing.

#include <array>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sqlite3.h>

#include "crdt/doc.hpp"
#include "storage/sqlite_store.hpp"

using namespace palimpsest;

namespace {

constexpr std::array kNames{"a", "b", "c"};

sqlite3* last_opened = nullptr;

// One with a file: others are in memory, and open for a moment.
int remember(sqlite3* connection, char**, const sqlite3_api_routines*) {
  const char* file = sqlite3_db_filename(connection, "main");
  if (file != nullptr && *file != '\0') last_opened = connection;
  return SQLITE_OK;
}

using Update = std::shared_ptr<const crdt::Bytes>;

storage::Append entry(const char* document, storage::Seq seq, const Update& update) {
  storage::Append append;
  append.document = document;
  append.seq = seq;
  append.author = {1, ""};
  append.connection = 1;
  append.update = update;
  return append;
}

[[noreturn]] void write_for_ever(const std::string& directory, bool is_normal) {
  const auto store = storage::open_sqlite_store(directory, storage::Access::kReadWrite);
  const auto writer = store->writer();
  if (is_normal) {
    sqlite3_exec(last_opened, "PRAGMA synchronous = NORMAL", nullptr, nullptr, nullptr);
  }
  crdt::Doc doc;  // the same under every name
  for (storage::Seq seq = 1;; ++seq) {
    const auto update = std::make_shared<const crdt::Bytes>(
        doc.transact(1, [seq](crdt::Transaction& t) { t.text_insert("t", seq - 1, "x"); }));
    std::vector<storage::Append> batch;
    for (const char* name : kNames) batch.push_back(entry(name, seq, update));
    writer->append(batch);
    for (const char* name : kNames) std::cout << name << ' ' << seq << '\n';
    std::cout.flush();
    if (seq % 50 == 0) {
      writer->write_checkpoint({kNames[seq / 50 % 3], seq, doc.encode(), "title", ""});
    }
    if (seq % 2000 == 0) writer->settle();
    writer->maintain();
    std::this_thread::sleep_for(
        std::chrono::microseconds(500));  // so that many a cut comes between two
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const bool is_normal = argc > 2 && std::strcmp(argv[2], "--synchronous-normal") == 0;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(remember));
  try {
    write_for_ever(argv[1], is_normal);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
