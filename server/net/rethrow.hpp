#pragma once

#include <exception>

namespace palimpsest::server::net {

// How a coroutine ends that the server cannot do without: what it throws is a bug, and leaves
// io_context::run() for the thread to report.
inline void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace palimpsest::server::net
