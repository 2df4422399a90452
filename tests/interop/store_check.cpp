// store_check DIRECTORY: prints what Reader::verify() finds in a store, and nothing when all is
// well.

#include <exception>
#include <iostream>

#include "storage/sqlite_store.hpp"

using namespace palimpsest;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const auto store = storage::open_sqlite_store(argv[1], storage::Access::kReadOnly);
    for (const storage::Finding& finding : store->reader()->verify()) {
      std::cout << finding.document << ", entry " << finding.seq << ": " << finding.cause << '\n';
    }
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
    return 1;
  }
}
