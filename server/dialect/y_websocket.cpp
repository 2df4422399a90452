#include "dialect/y_websocket.hpp"
