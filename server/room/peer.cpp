#include "room/peer.hpp"
