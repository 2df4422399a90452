# Run by palimpsest_embed(): writes the source file OUTPUT for the files below DIRECTORIES.
#
# .incbin takes the bytes as they are; an array of numbers would take the compiler minutes.

set(media_html "text/html; charset=utf-8")
set(media_js "text/javascript; charset=utf-8")
set(media_mjs "${media_js}")
set(media_css "text/css; charset=utf-8")
set(media_txt "text/plain; charset=utf-8")
set(media_json "application/json")
set(media_map "application/json")
set(media_webmanifest "application/manifest+json")
set(media_svg "image/svg+xml")
set(media_png "image/png")
set(media_ico "image/x-icon")
set(media_woff2 "font/woff2")
set(media_wasm "application/wasm")

# No path can be below two of them.
set(paths "")
foreach(directory IN LISTS DIRECTORIES)
  file(GLOB_RECURSE found LIST_DIRECTORIES false RELATIVE "${directory}" "${directory}/*")
  foreach(path IN LISTS found)
    if(DEFINED "directory_of_${path}")
      message(FATAL_ERROR "${path}: is in ${directory_of_${path}} and in ${directory}")
    endif()
    set("directory_of_${path}" "${directory}")
  endforeach()
  list(APPEND paths ${found})
endforeach()
list(SORT paths)

set(bytes "")
set(symbols "")
set(rows "")
set(number 0)
foreach(path IN LISTS paths)
  set(file "${directory_of_${path}}/${path}")
  string(REGEX REPLACE "^.*\\." "" extension "${path}")
  string(TOLOWER "${extension}" extension)
  set(media_type "${media_${extension}}")
  if(media_type STREQUAL "")
    message(FATAL_ERROR "${path}: embed_generate.cmake knows no media type for .${extension}")
  endif()

  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 32 hash)
  # Vite puts a hash of the content into the names below assets/: such a name never gets other
  # content.
  set(immutable false)
  if(path MATCHES "^assets/.*-[A-Za-z0-9_-]+\\.[a-z0-9]+$")
    set(immutable true)
  endif()

  file(SIZE "${file}" size)
  string(APPEND bytes
    "    \"palimpsest_asset_${number}:\\n\"\n"
    "    \".incbin \\\"${file}\\\"\\n\"\n")
  string(APPEND symbols "extern const unsigned char palimpsest_asset_${number}[];\n")
  string(APPEND rows
    "    {\"${path}\", \"${media_type}\", \"\\\"${hash}\\\"\",\n"
    "     {palimpsest_asset_${number}, ${size}}, ${immutable}},\n")
  math(EXPR number "${number} + 1")
endforeach()

set(text "// Written by cmake/embed_generate.cmake.\n#include \"${HEADER}\"\n\n")
if(number EQUAL 0)
  string(APPEND text
    "std::span<const palimpsest::server::Asset> palimpsest::server::embedded_assets() {\n"
    "  return {};\n}\n")
else()
  string(APPEND text
    "asm(\".pushsection .rodata\\n\"\n${bytes}    \".popsection\\n\");\n\n"
    "extern \"C\" {\n${symbols}}\n\n"
    "static const palimpsest::server::Asset kAssets[] = {\n${rows}};\n\n"
    "std::span<const palimpsest::server::Asset> palimpsest::server::embedded_assets() {\n"
    "  return kAssets;\n}\n")
endif()
file(WRITE "${OUTPUT}" "${text}")
