#include "storage/sqlite_store.hpp"
