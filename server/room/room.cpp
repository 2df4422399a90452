#include "room/room.hpp"
