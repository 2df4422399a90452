// store_check DIRECTORY [--logs]: prints what Reader::verify() finds in a store, and nothing when
// all is well. With --logs, then "DOCUMENT SEQ" for the end of each log.

#include <cstring>
#include <exception>
#include <iostream>

#include "storage/sqlite_store.hpp"

using namespace palimpsest;

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    const auto store = storage::open_sqlite_store(argv[1], storage::Access::kReadOnly);
    const auto reader = store->reader();
    for (const storage::Finding& finding : reader->verify()) {
      std::cout << finding.document << ", entry " << finding.seq << ": " << finding.cause << '\n';
    }
    if (argc < 3 || std::strcmp(argv[2], "--logs") != 0) return 0;
    for (const auto& document : reader->list(1000, 0)) {
      std::cout << document.name << ' ' << document.last_seq << '\n';
    }
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
    return 1;
  }
}
