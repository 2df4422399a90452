#include "room/journal.hpp"
