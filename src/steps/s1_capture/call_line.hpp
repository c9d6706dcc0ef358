// One recorded call from one line of JSON:
// {"id","source","timestamp"?,"request","response","meta"}, or an NVIDIA Data Flywheel record
// {"timestamp","workload_id","client_id","request","response"}. Labels in `meta` (task, agent,
// role) are not taken over: they are for scoring, not for learning. Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "records/call.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

// `file_name` becomes the call's source, "import:NAME". Errors do not name file and line: the
// caller knows them.
Result<Call> read_call_line(std::string_view line, std::string_view file_name,
                            const Pseudonyms& pseudonyms);

}  // namespace understudy::s1
