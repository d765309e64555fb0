# The rooms as libraries. The wall: `probe` links common, the suites' bodies and nothing else, statically.

set(TG_FW ${CMAKE_SOURCE_DIR}/framework)
set(TG_COMMON_SOURCES ${TG_FW}/common/error.c ${TG_FW}/common/wire.c ${TG_FW}/common/cases.c
	${TG_FW}/common/lap.c)
set(TG_SUITE_SOURCES ${TG_FW}/probe/control.c)
set(TG_SUITES control)

function(tollgate_suite NAME)
	set(TG_SUITES ${TG_SUITES} ${NAME} PARENT_SCOPE)
	set(TG_SUITE_SOURCES ${TG_SUITE_SOURCES} ${CMAKE_SOURCE_DIR}/suites/${NAME}.c PARENT_SCOPE)
endfunction()

# The table of suites, in the order of the list.
function(tollgate_table FILE)
	set(text "/* made by the build */\n#include \"common/cases.h\"\n")
	foreach(s ${ARGN})
		string(APPEND text "extern const struct tg_suite tg_suite_${s};\n")
	endforeach()
	string(APPEND text "const struct tg_suite *const tg_suites[] = {\n")
	foreach(s ${ARGN})
		string(APPEND text "\t&tg_suite_${s},\n")
	endforeach()
	string(APPEND text "};\nconst size_t tg_suite_count = sizeof(tg_suites) / sizeof(tg_suites[0]);\n")
	file(CONFIGURE OUTPUT ${FILE} CONTENT "${text}" @ONLY)
endfunction()

# A text file as a C string: NAME[] in OUT.
function(tollgate_embed NAME IN OUT)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${IN})
	file(READ ${IN} text)
	string(REPLACE "\\" "\\\\" text "${text}")
	string(REPLACE "\"" "\\\"" text "${text}")
	string(REPLACE "\n" "\\n\"\n\"" text "${text}")
	file(WRITE ${OUT}.new "extern const char ${NAME}[];\nconst char ${NAME}[] = \"${text}\";\n")
	file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
endfunction()

macro(tollgate_finish)
	set(GEN ${CMAKE_BINARY_DIR}/generated)
	tollgate_table(${GEN}/suites.c ${TG_SUITES})
	tollgate_embed(tg_builtin_lanes ${TG_FW}/lanes/lanes.json ${GEN}/builtin_lanes.c)

	# The build id ties a probe to its host: a digest of all that runs on the other side of the wall.
	set(TG_PROBE_SOURCES ${TG_FW}/probe/main.c ${TG_FW}/probe/turn.c ${TG_FW}/probe/look.c)
	file(GLOB headers CONFIGURE_DEPENDS ${TG_FW}/common/*.h ${TG_FW}/probe/*.h)
	set(digested ${TG_PROBE_SOURCES} ${TG_COMMON_SOURCES} ${TG_SUITE_SOURCES} ${headers} ${TG_FW}/tollgate.h
		${GEN}/suites.c)
	add_custom_command(OUTPUT ${GEN}/build_id.c DEPENDS ${digested} ${TG_FW}/build_id.cmake
		COMMAND ${CMAKE_COMMAND} "-DFILES=${digested}" -DOUT=${GEN}/build_id.c -DFLAGS=${CMAKE_BUILD_TYPE}
			-P ${TG_FW}/build_id.cmake VERBATIM)
	add_library(tg_build_id OBJECT ${GEN}/build_id.c)

	add_library(tg_common STATIC ${TG_COMMON_SOURCES})
	target_link_libraries(tg_common PUBLIC tg_flags)
	add_library(tg_suites_objects OBJECT ${TG_SUITE_SOURCES})
	target_link_libraries(tg_suites_objects PRIVATE tg_flags)

	# Never sanitized or counted: what is measured is the shipped code, and both need a runtime of their own.
	add_executable(probe ${TG_PROBE_SOURCES} ${TG_COMMON_SOURCES} ${TG_SUITE_SOURCES} ${GEN}/suites.c
		${GEN}/build_id.c)
	target_link_libraries(probe PRIVATE tg_flags)
	target_compile_options(probe PRIVATE -O2 -fno-sanitize=all $<$<CONFIG:Coverage>:-fno-profile-arcs
		-fno-test-coverage>)
	target_link_options(probe PRIVATE -static -fno-sanitize=all)

	# noted in the fingerprint, never compared
	execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE TG_COMMIT
		OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
	if(TG_COMMIT)
		set_source_files_properties(${TG_FW}/store/machine.c PROPERTIES COMPILE_DEFINITIONS
			TG_COMMIT="${TG_COMMIT}")
	endif()

	file(GLOB verdict CONFIGURE_DEPENDS ${TG_FW}/verdict/*.c)
	add_library(tg_verdict STATIC ${verdict})
	target_link_libraries(tg_verdict PUBLIC tg_common m)

	file(GLOB host_sources CONFIGURE_DEPENDS ${TG_FW}/lanes/*.c ${TG_FW}/host/*.c ${TG_FW}/store/*.c
		${TG_FW}/report/*.c)
	add_library(tg_host STATIC ${host_sources} ${GEN}/builtin_lanes.c)
	target_link_libraries(tg_host PUBLIC tg_verdict PkgConfig::CJSON)

	file(GLOB cli CONFIGURE_DEPENDS ${TG_FW}/cli/*.c)
	list(REMOVE_ITEM cli ${TG_FW}/cli/main.c)
	add_library(tg_cli STATIC ${cli})
	target_link_libraries(tg_cli PUBLIC tg_host PkgConfig::CMOCKA)
	target_compile_definitions(tg_cli PRIVATE TG_BASELINES="${CMAKE_SOURCE_DIR}/baselines")
	add_library(tg_main OBJECT ${TG_FW}/cli/main.c)
	target_link_libraries(tg_main PRIVATE tg_cli)

	# build/tollgate has all suites; build/suites/<suite> is the same program with one.
	set(parts $<TARGET_OBJECTS:tg_main> $<TARGET_OBJECTS:tg_build_id> $<TARGET_OBJECTS:tg_suites_objects>)
	add_executable(tollgate ${parts} ${GEN}/suites.c)
	target_link_libraries(tollgate PRIVATE tg_cli)
	foreach(s ${TG_SUITES})
		if(NOT s STREQUAL control)
			tollgate_table(${GEN}/suite_${s}.c control ${s})
			add_executable(suite_${s} ${parts} ${GEN}/suite_${s}.c)
			target_link_libraries(suite_${s} PRIVATE tg_cli)
			set_target_properties(suite_${s} PROPERTIES OUTPUT_NAME ${s}
				RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/suites)
		endif()
	endforeach()
endmacro()
