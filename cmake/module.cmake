# palimpsest_module(NAME HEADERS … SOURCES … DEPENDS … [PRIVATE_DEPENDS …])
#
# Declares one library. Its public headers live in include/ and are the only ones that another
# module can see; it links only what DEPENDS and PRIVATE_DEPENDS name, so that an #include which
# breaks the dependency rule of ARCHITECTURE.md fails to build.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Every flag that all targets share is here; folders speak about targets, presets about flavours.
add_library(palimpsest_flags INTERFACE)
target_compile_options(palimpsest_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # "a" + std::to_string(n): a false alarm of GCC 12 (its bug 105651).
  target_compile_options(palimpsest_flags INTERFACE -Wno-restrict)
endif()
if(PALIMPSEST_SANITIZE)
  target_compile_options(palimpsest_flags INTERFACE
    -fsanitize=${PALIMPSEST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(palimpsest_flags INTERFACE -fsanitize=${PALIMPSEST_SANITIZE})
endif()
if(PALIMPSEST_FUZZ)
  target_compile_options(palimpsest_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(palimpsest_module name)
  cmake_parse_arguments(ARG "" "" "HEADERS;SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${ARG_HEADERS})
  target_include_directories(${name} PRIVATE src)
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_link_libraries(${name}
    PUBLIC ${ARG_DEPENDS}
    PRIVATE $<BUILD_INTERFACE:palimpsest_flags> ${ARG_PRIVATE_DEPENDS})
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()
