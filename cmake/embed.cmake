# palimpsest_embed(TARGET HEADER DIRECTORY...)
#
# Adds one object file to TARGET that carries every file below each DIRECTORY and defines
# palimpsest::server::embedded_assets(), which HEADER declares: a table of the files, ascending by
# path ("index.html", "assets/index-5f3c….js"). A DIRECTORY that is not there gives an empty table.
#
# The folders are looked at again in every build: files may come, change and go.
set(PALIMPSEST_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_generate.cmake)

function(palimpsest_embed target header)
  list(TRANSFORM ARGN APPEND "/*" OUTPUT_VARIABLE globs)
  file(GLOB_RECURSE files LIST_DIRECTORIES false CONFIGURE_DEPENDS ${globs})
  # A part of the command, so that a file that has gone is a reason to run it again.
  string(MD5 listing "${files}")
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_assets.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND}
      -D "DIRECTORIES=${ARGN}" -D HEADER=${header} -D OUTPUT=${output} -D LISTING=${listing}
      -P ${PALIMPSEST_EMBED_SCRIPT}
    DEPENDS ${files} ${PALIMPSEST_EMBED_SCRIPT}
    COMMENT "Embedding files"
    VERBATIM)
  # The assembler reads the files, so the compiler's list of dependencies does not have them.
  set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE ${output})
endfunction()
