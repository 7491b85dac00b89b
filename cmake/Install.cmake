# What `cmake --install` puts where: the program, the library with its public headers, the
# strategies, the models, a CMake package (poise::poise) and poise.pc.
include(CMakePackageConfigHelpers)

set_target_properties(poise_shared poise_static PROPERTIES EXPORT_NAME poise)
set_target_properties(poise_static PROPERTIES EXPORT_NAME poise_static)
install(TARGETS poise_shared EXPORT poise
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS poise_static
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET poise)
    install(TARGETS poise RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(POISE_BALANCER_TARGETS)
    install(TARGETS ${POISE_BALANCER_TARGETS} LIBRARY DESTINATION ${POISE_BALANCERS_DIR})
endif()
install(DIRECTORY models/ DESTINATION ${POISE_MODELS_DIR} FILES_MATCHING PATTERN "*.yaml")
if(POISE_SCHEMAS)
    install(FILES ${POISE_SCHEMAS} DESTINATION ${CMAKE_INSTALL_DATADIR}/poise/schema)
endif()

# Public headers: those that do not call themselves internal.
foreach(d core ops plugins data models train)
    file(GLOB headers CONFIGURE_DEPENDS ${d}/*.h)
    foreach(h IN LISTS headers)
        file(READ ${h} text)
        string(FIND "${text}" "#ifndef" guard)
        string(SUBSTRING "${text}" 0 ${guard} opening)
        if(NOT opening MATCHES "Internal\\.")
            install(FILES ${h} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/poise/${d})
        endif()
    endforeach()
endforeach()
install(FILES plugins/balancer.h plugins/balancer_math.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/poise)

install(EXPORT poise NAMESPACE poise:: FILE poise-targets.cmake DESTINATION ${POISE_CMAKE_DIR})
set(POISE_PROGRAM ${CMAKE_INSTALL_BINDIR}/poise)
set(POISE_INCLUDE_DIR ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(cmake/poise-config.cmake.in ${PROJECT_BINARY_DIR}/poise-config.cmake
    INSTALL_DESTINATION ${POISE_CMAKE_DIR} PATH_VARS POISE_BALANCERS_DIR POISE_MODELS_DIR
    POISE_PROGRAM POISE_INCLUDE_DIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/poise-config-version.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/poise-config.cmake
    ${PROJECT_BINARY_DIR}/poise-config-version.cmake DESTINATION ${POISE_CMAKE_DIR})

poise_relative(POISE_PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/poise.pc.in ${PROJECT_BINARY_DIR}/poise.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/poise.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
