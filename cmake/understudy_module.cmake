# understudy_module(PATH USES module... LINKS library...)
#
# One call per folder of src/. Sources, tests and fuzz targets are found by their names, so that adding a
# file needs no edit here: x.cpp goes into the module, x_test.cpp into its one test program, each x_fuzz.cpp
# becomes a libFuzzer program (preset fuzz) and each x_bench.cpp a program that is built on demand. USES names modules as in tools/layers.txt.
# TEST_LABEL: what its tests are for ctest -L (default: unit); TEST_ENVIRONMENT: variables that they run with.

add_compile_options(-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-gnu-statement-expression -Wno-gnu-statement-expression-from-macro-expansion
                      -Wno-c23-extensions)  # #embed, which C++26 has too
endif()
# g++ 16 takes the frame of an inlined Asio coroutine for memory of another allocator.
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
# At -O3 it loses track of which value a TRY took; -O2 (every other preset) checks the same code.
add_compile_options($<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-maybe-uninitialized>)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(UNDERSTUDY_SANITIZE)
  add_compile_options(-fsanitize=${UNDERSTUDY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
                      # GCC warns wrongly of std::regex where code is instrumented.
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${UNDERSTUDY_SANITIZE})
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND NOT UNDERSTUDY_SANITIZE)
  add_link_options(-fuse-ld=mold)
endif()

find_package(GTest REQUIRED)
include(GoogleTest)

function(understudy_module path)
  cmake_parse_arguments(MODULE "" "TEST_LABEL;TEST_ENVIRONMENT" "USES;LINKS" ${ARGN})
  if(NOT MODULE_TEST_LABEL)
    set(MODULE_TEST_LABEL unit)
  endif()
  string(REPLACE "/" "_" name ${path})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${path}/*.cpp)
  set(all_sources ${sources})
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")

  set(scope PUBLIC)
  if(sources)
    add_library(us_${name} STATIC ${sources})
    if(UNDERSTUDY_FUZZ)
      target_compile_options(us_${name} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
  else()
    add_library(us_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(us_${name} ${scope} ${PROJECT_SOURCE_DIR}/src)
  foreach(used ${MODULE_USES})
    string(REPLACE "/" "_" used_name ${used})
    target_link_libraries(us_${name} ${scope} us_${used_name})
  endforeach()
  target_link_libraries(us_${name} ${scope} ${MODULE_LINKS})

  if(tests AND NOT UNDERSTUDY_FUZZ)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE us_${name} GTest::gmock GTest::gtest_main)
    # Listing loads libtorch, which takes more than the usual 5 s from a cold disk.
    gtest_discover_tests(${name}_test TEST_PREFIX "${path}/" DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 120 LABELS ${MODULE_TEST_LABEL} ENVIRONMENT "${MODULE_TEST_ENVIRONMENT}")
  endif()
  set(benches ${all_sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  foreach(bench ${benches})  # built when asked for by name
    get_filename_component(bench_name ${bench} NAME_WE)
    add_executable(${bench_name} EXCLUDE_FROM_ALL ${bench})
    target_link_libraries(${bench_name} PRIVATE us_${name})
  endforeach()
  if(UNDERSTUDY_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(fuzzer_name ${fuzzer} NAME_WE)
      add_executable(${fuzzer_name} ${fuzzer})
      target_link_libraries(${fuzzer_name} PRIVATE us_${name} -fsanitize=fuzzer)
    endforeach()
  elseif(fuzzers)  # only compiled, so that a change that breaks one shows at once
    add_library(${name}_fuzzers OBJECT ${fuzzers})
    target_link_libraries(${name}_fuzzers PRIVATE us_${name})
  endif()
endfunction()

# understudy_own_library(NAME PATH USES module...)
#
# A shared object of our own, NAME.so beside the programs, opened only when it is needed
# (base/own_library.hpp): the sources of one folder with the modules that they use. What it exports is marked
# in the source. The modules below it must be position independent.
function(understudy_own_library name path)
  cmake_parse_arguments(LIBRARY "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${path}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$")
  add_library(${name} MODULE ${sources})
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${name} PRIVATE UNDERSTUDY_VERSION="${PROJECT_VERSION}")
  target_link_options(${name} PRIVATE LINKER:--as-needed LINKER:--exclude-libs,ALL)
  foreach(used ${LIBRARY_USES})
    string(REPLACE "/" "_" used_name ${used})
    target_link_libraries(${name} PRIVATE us_${used_name})
    set_target_properties(us_${used_name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endforeach()
  target_link_libraries(${name} PRIVATE ${LIBRARY_LINKS})
endfunction()
