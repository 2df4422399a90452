#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace palimpsest::storage::sqlite {

// The name of a network file system by its number (statfs(2), f_type); empty for any other. There
// locks may not hold, the write-ahead log's shared memory is not shared, and fsync may promise more
// than is true. What hides behind FUSE cannot be told.
std::string_view network_file_system(std::uint32_t magic);

// Throws Error (kUnavailable) where the directory, or where it would be made, is on one.
void refuse_network_file_system(const std::filesystem::path& directory);

}  // namespace palimpsest::storage::sqlite
