#include "room/summary.hpp"
