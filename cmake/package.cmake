# What is installed where, and the Debian package. `./dev release` also makes the portable archive of the same tree
# (tools/portable_tree.py).
#   PREFIX/lib/understudy/    the programs and the shared objects that they open
#   PREFIX/bin/               links to the two programs for people
#   PREFIX/share/understudy/  what they read: the demo's scripts, the commented configuration
include(GNUInstallDirs)
set(programs_directory lib/understudy)

install(TARGETS understudy understudy-serve understudy-control understudy-models understudy-otlp understudy-parquet
        RUNTIME DESTINATION ${programs_directory} LIBRARY DESTINATION ${programs_directory})
set(for_people understudy)
if(TARGET understudy-train)
  install(TARGETS understudy-train RUNTIME DESTINATION ${programs_directory})
  list(APPEND for_people understudy-train)
endif()
foreach(program ${for_people})
  install(CODE "file(MAKE_DIRECTORY \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin)
file(CREATE_LINK ../${programs_directory}/${program} \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/${program} SYMBOLIC)")
endforeach()
install(DIRECTORY examples DESTINATION share/understudy FILES_MATCHING PATTERN "*.py" PATTERN "*.toml" PATTERN "README.md"
        PATTERN "__pycache__" EXCLUDE)
# English word vectors for the classifier, from npm.
set(word_vectors ${CMAKE_BINARY_DIR}/share/understudy/word_vectors.bin)
add_custom_command(OUTPUT ${word_vectors}
                   COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/word_vectors.py ${word_vectors}
                   DEPENDS ${PROJECT_SOURCE_DIR}/tools/word_vectors.py ${PROJECT_SOURCE_DIR}/packaging/word_vectors/package-lock.json
                   VERBATIM COMMENT "Packing word vectors")
add_custom_target(word-vectors ALL DEPENDS ${word_vectors})
install(FILES ${word_vectors} DESTINATION share/understudy)
install(DIRECTORY docs DESTINATION share/doc/understudy)
install(FILES README.md ARCHITECTURE.md GLOSSARY.md CHANGELOG.md LICENSE DESTINATION share/doc/understudy)
install(FILES packaging/understudy.service DESTINATION lib/systemd/system)
# The man page and the completions, from the parser itself.
set(pages ${CMAKE_BINARY_DIR}/pages)
set(control $<TARGET_FILE:understudy-control> --home ${pages}/home)
add_custom_command(
  OUTPUT ${pages}/understudy.1.gz ${pages}/understudy.bash ${pages}/_understudy ${pages}/understudy.fish
  COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}
  COMMAND ${control} reference man | gzip -9n > ${pages}/understudy.1.gz
  COMMAND ${control} completion bash > ${pages}/understudy.bash
  COMMAND ${control} completion zsh > ${pages}/_understudy
  COMMAND ${control} completion fish > ${pages}/understudy.fish
  DEPENDS understudy-control VERBATIM)
add_custom_target(pages ALL DEPENDS ${pages}/understudy.1.gz)
install(FILES ${pages}/understudy.1.gz DESTINATION share/man/man1)
install(FILES ${pages}/understudy.bash DESTINATION share/bash-completion/completions RENAME understudy)
install(FILES ${pages}/_understudy DESTINATION share/zsh/vendor-completions)
install(FILES ${pages}/understudy.fish DESTINATION share/fish/vendor_completions.d)
# Programs of the build folder find the same data.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/understudy)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/examples ${CMAKE_BINARY_DIR}/share/understudy/examples SYMBOLIC)

# All that is installed, without the tests: what `./dev release` builds.
add_custom_target(installed)
add_dependencies(installed understudy understudy-serve understudy-control understudy-models understudy-otlp understudy-parquet
                 portable-launcher pages word-vectors)
if(TARGET understudy-train)
  add_dependencies(installed understudy-train)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME understudy)
set(CPACK_PACKAGE_VENDOR "Understudy")
set(CPACK_PACKAGE_CONTACT "The Understudy developers <understudy@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "lets small models take over the LLM calls that they have proven they can do")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # the library packages, by the programs' own needs
set(CPACK_DEBIAN_PACKAGE_DEPENDS "llama.cpp-tools, libopenblas0-openmp, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-aiohttp, weasyprint")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/postinst;${PROJECT_SOURCE_DIR}/packaging/prerm)
include(CPack)
