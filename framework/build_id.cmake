# cmake -DFILES=… -DOUT=… -DFLAGS=… -P build_id.cmake
set(all "${FLAGS}")
foreach(f ${FILES})
	file(SHA256 ${f} sum)
	string(APPEND all ${sum})
endforeach()
string(SHA256 id "${all}")
string(SUBSTRING ${id} 0 16 id)
file(WRITE ${OUT} "extern const char tg_build_id[];\nconst char tg_build_id[] = \"${id}\";\n")
