#include "room/presence.hpp"
