#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palimpsest::server {

// Text that somebody typed, made fit for one line of a list: without control characters and without
// those that turn the direction of what follows (Unicode Bidirectional Algorithm §2), every run of
// white space as one space, none at the ends, at most `max_code_points` long.
// Takes and gives well-formed UTF-8.
std::string plain_text(std::string_view utf8, std::size_t max_code_points);

// The same of a text that has to fit: nullopt where nothing of it is left, or more than that.
std::optional<std::string> line_of(std::string_view utf8, std::size_t max_code_points);

// "1 change", "3 changes".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace palimpsest::server
