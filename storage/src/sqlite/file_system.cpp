#include "sqlite/file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <system_error>

#include <sys/vfs.h>

#include "storage/store.hpp"

namespace palimpsest::storage::sqlite {
namespace {

struct FileSystem {
  std::uint32_t magic;
  std::string_view name;
};

// linux/magic.h, and the sources of those that are not in the kernel.
constexpr FileSystem kNetworkFileSystems[] = {
    {0x00006969, "NFS"},    {0x0000517B, "SMB"},        {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"},   {0x01021997, "9p"},         {0x5346414F, "AFS"},
    {0x6B414653, "AFS"},    {0x73757245, "Coda"},       {0x0000564C, "NCP"},
    {0x00C36400, "Ceph"},   {0x0BD00BD0, "Lustre"},     {0x20030528, "OrangeFS"},
    {0x19830326, "BeeGFS"}, {0x47504653, "GPFS"},       {0x7461636F, "OCFS2"},
    {0x01161970, "GFS2"},   {0x786F4256, "VirtualBox"}, {0xBACBACBC, "VMware HGFS"},
};

// The nearest directory above that is there.
std::filesystem::path existing_part(std::filesystem::path directory) {
  std::error_code ignored;
  while (!std::filesystem::exists(directory, ignored) && directory.has_parent_path() &&
         directory.parent_path() != directory) {
    directory = directory.parent_path();
  }
  return directory;
}

}  // namespace

std::string_view network_file_system(std::uint32_t magic) {
  const auto* const found = std::ranges::find(kNetworkFileSystems, magic, &FileSystem::magic);
  return found == std::end(kNetworkFileSystems) ? std::string_view() : found->name;
}

void refuse_network_file_system(const std::filesystem::path& directory) {
  const std::filesystem::path place = existing_part(std::filesystem::absolute(directory));
  struct statfs status {};
  if (::statfs(place.c_str(), &status) != 0) {
    throw Error(Error::Kind::kUnavailable,
                place.string() + ": statfs: " + std::generic_category().message(errno));
  }
  const std::string_view name = network_file_system(static_cast<std::uint32_t>(status.f_type));
  if (name.empty()) return;
  throw Error(Error::Kind::kUnavailable,
              directory.string() + ": open: is on a network file system (" + std::string(name) +
                  "), where what is acknowledged can be lost; name a directory on a disk of this "
                  "machine, or say --unsafe-network-filesystem");
}

}  // namespace palimpsest::storage::sqlite
