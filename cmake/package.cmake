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
install(DIRECTORY docs DESTINATION share/doc/understudy)
install(FILES README.md ARCHITECTURE.md GLOSSARY.md CHANGELOG.md LICENSE DESTINATION share/doc/understudy)
install(FILES packaging/understudy.service DESTINATION lib/systemd/system)
# Programs of the build folder find the same data.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/understudy)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/examples ${CMAKE_BINARY_DIR}/share/understudy/examples SYMBOLIC)

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
