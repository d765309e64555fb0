# One test program for each file of the framework, named after it. TG_TEST_* tell where the build's programs are.

function(tollgate_test NAME)
	add_executable(test_${NAME} ${TG_FW}/tests/test_${NAME}.c $<TARGET_OBJECTS:tg_build_id>
		$<TARGET_OBJECTS:tg_suites_objects> ${GEN}/suites.c)
	target_link_libraries(test_${NAME} PRIVATE tg_cli)
	target_compile_definitions(test_${NAME} PRIVATE TG_TEST_BUILD="${CMAKE_BINARY_DIR}"
		TG_TEST_SOURCE="${CMAKE_SOURCE_DIR}")
	add_test(NAME unit_${NAME} COMMAND test_${NAME})
	set_tests_properties(unit_${NAME} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

file(GLOB tests CONFIGURE_DEPENDS ${TG_FW}/tests/test_*.c)
foreach(t ${tests})
	get_filename_component(t ${t} NAME_WE)
	string(REGEX REPLACE "^test_" "" t ${t})
	tollgate_test(${t})
endforeach()

# A stand-in for the probe that does what its arguments say; static like the probe, whose place it can take.
add_executable(fake_lane ${TG_FW}/tests/fake_lane.c ${TG_COMMON_SOURCES} ${GEN}/build_id.c)
add_dependencies(fake_lane tg_build_id)
target_link_libraries(fake_lane PRIVATE tg_flags)
target_compile_options(fake_lane PRIVATE -fno-sanitize=all $<$<CONFIG:Coverage>:-fno-profile-arcs
	-fno-test-coverage>)
target_link_options(fake_lane PRIVATE -static -fno-sanitize=all)
set_target_properties(fake_lane PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)

# These start sandboxes, which only one program at a time may measure.
foreach(t child real scenarios scenario_ends scenario_faults)
	if(TEST unit_${t})
		set_tests_properties(unit_${t} PROPERTIES RUN_SERIAL ON)
	endif()
endforeach()

add_test(NAME rooms COMMAND ${CMAKE_SOURCE_DIR}/ci/check-rooms.sh ${CMAKE_SOURCE_DIR})
add_test(NAME rooms_check_trips COMMAND ${CMAKE_SOURCE_DIR}/ci/test-check-rooms.sh)

# Timing, and so not part of `make test`: what `make check` runs.
add_test(NAME gate COMMAND tollgate check)
set_tests_properties(gate PROPERTIES LABELS gate RUN_SERIAL ON SKIP_RETURN_CODE 77 TIMEOUT 3600)
