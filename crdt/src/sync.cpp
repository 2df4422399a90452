#include "crdt/sync.hpp"
