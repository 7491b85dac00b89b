# How every target is compiled and what the library is linked to.
set(POISE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla)
set(POISE_FLAGS -fno-math-errno -fno-trapping-math)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND POISE_WARNINGS -Wno-format-truncation) # messages are cut on purpose
endif()
if(POISE_WERROR)
    list(APPEND POISE_WARNINGS -Werror)
endif()
if(POISE_SANITIZE AND CMAKE_C_COMPILER_ID MATCHES "Clang")
    list(APPEND POISE_WARNINGS -Wno-pass-failed) # instrumented loops are not vectorised
endif()
if(POISE_SANITIZE)
    add_compile_options(-fsanitize=${POISE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${POISE_SANITIZE})
endif()
if(POISE_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

function(poise_compile target)
    target_compile_options(${target} PRIVATE ${POISE_WARNINGS} ${POISE_FLAGS})
    target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
endfunction()

function(poise_link target)
    target_link_libraries(${target} PRIVATE ${DNNL_LIBRARY} ${YAML_LIBRARY} ${JANSSON_LIBRARY}
        ZLIB::ZLIB ${GOMP_LIBRARY} ${CMAKE_DL_LIBS} m)
endfunction()
