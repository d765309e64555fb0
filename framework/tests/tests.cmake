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

# What has to trip, with the message it has to print.
set(MUST_FAIL ${TG_FW}/tests/must_fail)
function(tollgate_must_fail NAME)
	add_test(NAME must_fail_${NAME} COMMAND ${MUST_FAIL}/expect.sh ${ARGN})
	set_tests_properties(must_fail_${NAME} PROPERTIES TIMEOUT 60)
endfunction()

add_executable(must_fail_gates ${MUST_FAIL}/gates.c $<TARGET_OBJECTS:tg_build_id> $<TARGET_OBJECTS:tg_suites_objects>
	${GEN}/suites.c)
target_link_libraries(must_fail_gates PRIVATE tg_cli)
set(TRIPS "1 FAILED TEST(S)" "[  FAILED  ] getpid/runc")
set(REGRESSED "getpid/runc 1.200x (base 1.000x, +20.0 % [+17.0,+23.0], tolerance 5 %, MDE80 6 %) REGRESSED")
tollgate_must_fail(gate_regressed 0 ${TRIPS} "${REGRESSED} n=12x8 B=8" -- $<TARGET_FILE:must_fail_gates> regressed)
tollgate_must_fail(gate_absolute 0 "1 FAILED TEST(S)"
	"idle_pss/runc 20.0 MiB (base 10.0 MiB, +10.0 MiB [+9.00 MiB,+11.0 MiB], tolerance 2.00 MiB, MDE80 1.00 MiB)"
	-- $<TARGET_FILE:must_fail_gates> absolute)
tollgate_must_fail(gate_error 0 ${TRIPS} "getpid/runc ERROR(not ready within 10 s)" -- $<TARGET_FILE:must_fail_gates>
	error)
tollgate_must_fail(gate_one_of_many 0 ${TRIPS} "[==========] 3 test(s) run." -- $<TARGET_FILE:must_fail_gates> watched
	regressed inconclusive)
tollgate_must_fail(gate_watched_does_not_trip 0 "# watched, decides nothing: ${REGRESSED} watch" "!FAILED"
	-- $<TARGET_FILE:must_fail_gates> watched)
tollgate_must_fail(gate_inconclusive_is_skipped 0 "INCONCLUSIVE(unconfirmed)" "[  SKIPPED ] getpid/runc" "!FAILED"
	-- $<TARGET_FILE:must_fail_gates> inconclusive)
tollgate_must_fail(gate_null_is_no_test 0 "!RUN" "!FAILED" -- $<TARGET_FILE:must_fail_gates> null)

# A probe with bodies that go wrong: its answers have an errno and no times.
tollgate_table(${GEN}/suite_bodies.c bodies)
add_executable(must_fail_bodies ${TG_PROBE_SOURCES} ${TG_COMMON_SOURCES} ${MUST_FAIL}/bodies.c ${GEN}/suite_bodies.c
	${GEN}/build_id.c)
add_dependencies(must_fail_bodies tg_build_id)
target_link_libraries(must_fail_bodies PRIVATE tg_flags)
function(tollgate_must_refuse BENCH ERRNO)
	tollgate_must_fail(body_${BENCH} 0 -i "TG turn 7 bodies/${BENCH} 1 1 8 0\\nTG quit 8\\n" "~^TG turn 7 ${ERRNO} [0-9]+ 0 0$"
		-- $<TARGET_FILE:must_fail_bodies>)
endfunction()
tollgate_must_refuse(fails 38)
tollgate_must_refuse(fails_later 5)
tollgate_must_refuse(no_setup 13)
tollgate_must_refuse(unknown_phase 22)
tollgate_must_refuse(fresh_fails 38)
tollgate_must_refuse(fresh_dies 5)
tollgate_must_refuse(life 22)
tollgate_must_refuse(of_no_table 2)
tollgate_must_fail(body_good_has_times 0 -i "TG turn 7 bodies/good 1 1 1 0\\nTG quit 8\\n" "~^TG turn 7 0 [0-9]+ 1 0 [0-9]+ [0-9]+$"
	-- $<TARGET_FILE:must_fail_bodies>)

set(COMPILE ${CMAKE_C_COMPILER} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror=unused-function -I${TG_FW} -c -o /dev/null
	${MUST_FAIL}/forgotten_body.c)
tollgate_must_fail(forgotten_body fail "forgotten" "defined but not used" -- env LC_ALL=C ${COMPILE})
tollgate_must_fail(forgotten_body_compiles_without_it 0 -- ${COMPILE} -DNOTHING_IS_FORGOTTEN)

add_test(NAME rooms COMMAND ${CMAKE_SOURCE_DIR}/ci/check-rooms.sh ${CMAKE_SOURCE_DIR})
add_test(NAME rooms_check_trips COMMAND ${CMAKE_SOURCE_DIR}/ci/test-check-rooms.sh)

# Timing, and so not part of `make test`: what `make check` runs.
add_test(NAME gate COMMAND tollgate check)
set_tests_properties(gate PROPERTIES LABELS gate RUN_SERIAL ON SKIP_RETURN_CODE 77 TIMEOUT 3600)
