# Third-party packages, all from the distribution. Static archives are preferred, so that the
# binary needs nothing but glibc at run time.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
set(OPENSSL_USE_STATIC_LIBS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)

find_package(Threads REQUIRED)
find_package(SQLite3 REQUIRED)

find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_library(XXHASH_LIBRARY xxhash REQUIRED)
add_library(xxhash INTERFACE)
target_include_directories(xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE_DIR})
target_link_libraries(xxhash INTERFACE ${XXHASH_LIBRARY})

find_path(ZSTD_INCLUDE_DIR zstd.h REQUIRED)
find_library(ZSTD_LIBRARY zstd REQUIRED)
add_library(zstd INTERFACE)
target_include_directories(zstd SYSTEM INTERFACE ${ZSTD_INCLUDE_DIR})
target_link_libraries(zstd INTERFACE ${ZSTD_LIBRARY})

find_path(BROTLI_INCLUDE_DIR brotli/encode.h REQUIRED)
find_library(BROTLI_ENCODER_LIBRARY brotlienc REQUIRED)
find_library(BROTLI_DECODER_LIBRARY brotlidec REQUIRED)
find_library(BROTLI_COMMON_LIBRARY brotlicommon REQUIRED)
add_library(brotli INTERFACE)
target_include_directories(brotli SYSTEM INTERFACE ${BROTLI_INCLUDE_DIR})
target_link_libraries(brotli INTERFACE ${BROTLI_ENCODER_LIBRARY} ${BROTLI_DECODER_LIBRARY}
                                       ${BROTLI_COMMON_LIBRARY})

# To read what y-leveldb has stored. Of the packages' own CMake files one names shared libraries.
find_path(LEVELDB_INCLUDE_DIR leveldb/db.h REQUIRED)
find_library(LEVELDB_LIBRARY leveldb REQUIRED)
find_library(SNAPPY_LIBRARY snappy REQUIRED)
add_library(leveldb_static INTERFACE)
target_include_directories(leveldb_static SYSTEM INTERFACE ${LEVELDB_INCLUDE_DIR})
target_link_libraries(leveldb_static INTERFACE ${LEVELDB_LIBRARY} ${SNAPPY_LIBRARY} Threads::Threads)

if(PALIMPSEST_BUILD_SERVER)
  find_package(Boost 1.81 REQUIRED)
  find_package(OpenSSL REQUIRED)
  find_package(nlohmann_json REQUIRED)
  find_package(fmt REQUIRED)
  find_package(spdlog REQUIRED)
  find_package(CLI11 REQUIRED)
  find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
  add_library(tomlplusplus INTERFACE)
  target_include_directories(tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})
endif()
