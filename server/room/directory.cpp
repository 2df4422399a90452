#include "room/directory.hpp"
