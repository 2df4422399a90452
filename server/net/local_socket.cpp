#include "net/local_socket.hpp"

#include <cerrno>
#include <string>

#include <boost/system/system_error.hpp>
#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

namespace palimpsest::server::net {

std::filesystem::path local_socket(const std::filesystem::path& data) {
  return data / "palimpsest.sock";
}

LocalAddress::LocalAddress(const std::filesystem::path& socket) {
  if (socket.native().size() < sizeof(sockaddr_un::sun_path)) {
    endpoint_ = socket.native();
    return;
  }
  directory_ = ::open(socket.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory_ < 0) {
    throw boost::system::system_error(errno, boost::system::system_category());
  }
  const auto here = std::filesystem::path("/proc/self/fd") / std::to_string(directory_);
  endpoint_ = (here / socket.filename()).native();
}

LocalAddress::~LocalAddress() {
  if (directory_ >= 0) ::close(directory_);
}

}  // namespace palimpsest::server::net
