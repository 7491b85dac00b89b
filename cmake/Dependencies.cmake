# What Poise stands on.  Each is looked for once; a missing one is named with its Debian package.
function(poise_need var_lib var_inc lib header package what)
    find_library(${var_lib} NAMES ${lib})
    find_path(${var_inc} NAMES ${header})
    if(NOT ${var_lib} OR NOT ${var_inc})
        message(FATAL_ERROR "${what} was not found (lib${lib}, ${header}).\n"
            "On Debian and Ubuntu: apt-get install ${package}")
    endif()
endfunction()

# oneDNN 2.6 or 3.x.  -DDNNL_INCLUDE_DIR=... -DDNNL_LIBRARY=... choose another than the system's.
poise_need(DNNL_LIBRARY DNNL_INCLUDE_DIR dnnl dnnl.h libdnnl-dev "oneDNN")
poise_need(YAML_LIBRARY YAML_INCLUDE_DIR yaml yaml.h libyaml-dev "libyaml")
poise_need(JANSSON_LIBRARY JANSSON_INCLUDE_DIR jansson jansson.h libjansson-dev "jansson")
find_package(ZLIB)
if(NOT ZLIB_FOUND)
    message(FATAL_ERROR "zlib was not found.\nOn Debian and Ubuntu: apt-get install zlib1g-dev")
endif()
if(POISE_TESTS)
    poise_need(CMOCKA_LIBRARY CMOCKA_INCLUDE_DIR cmocka cmocka.h libcmocka-dev "CMocka")
endif()

# One OpenMP runtime in the process: the libgomp that libdnnl is built with, whichever compiler
# builds Poise.  Poise calls it by its functions (core/parallel.c), so no -fopenmp is needed.
execute_process(COMMAND gcc -print-file-name=libgomp.so
    OUTPUT_VARIABLE GOMP_FOUND OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(IS_ABSOLUTE "${GOMP_FOUND}")
    set(GOMP_LIBRARY "${GOMP_FOUND}" CACHE FILEPATH "libgomp")
endif()
find_library(GOMP_LIBRARY NAMES gomp libgomp.so.1)
if(NOT GOMP_LIBRARY)
    message(FATAL_ERROR "libgomp was not found.\nOn Debian and Ubuntu: apt-get install gcc libgomp1")
endif()
