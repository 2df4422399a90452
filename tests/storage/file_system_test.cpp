#include "sqlite/file_system.hpp"

#include "builders.hpp"
#include "storage/store.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

namespace palimpsest::testing {
namespace {

using storage::sqlite::network_file_system;
using storage::sqlite::refuse_network_file_system;

TEST_CASE("F11: network file systems are known by their numbers", "[file_system]") {
  const auto [magic, name] = GENERATE(table<std::uint32_t, std::string>({{0x6969, "NFS"},
                                                                         {0x517B, "SMB"},
                                                                         {0xFF534D42, "CIFS"},
                                                                         {0xFE534D42, "SMB2"},
                                                                         {0x01021997, "9p"},
                                                                         {0x00C36400, "Ceph"}}));
  CHECK(network_file_system(magic) == name);
}

TEST_CASE("F11: disks of the machine are no network file systems", "[file_system]") {
  // ext4, XFS, btrfs, tmpfs, overlayfs, ZFS, F2FS, FUSE
  const auto magic = GENERATE(0xEF53u, 0x58465342u, 0x9123683Eu, 0x01021994u, 0x794C7630u,
                              0x2FC12FC1u, 0xF2F52010u, 0x65735546u);
  CHECK(network_file_system(magic).empty());
}

TEST_CASE("F11: a directory that is still to be made is judged by the one above", "[file_system]") {
  const TempDirectory directory;
  CHECK_NOTHROW(refuse_network_file_system(directory.path() / "not" / "there"));
}

}  // namespace
}  // namespace palimpsest::testing
