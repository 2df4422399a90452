#include "crdt/awareness.hpp"
