#include "room/outbox.hpp"
