// The job behind `understudy scan`: finds personal data and secrets in any lines of text. Needs no
// log and no key; rules of the user's own come from HOME/understudy.toml.
#pragma once

#include "adapters/store/home.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "steps/s2_curate/scan_lines.hpp"

namespace understudy::console {

using store::Home;

// Prints the spans; gives counts. Bad lines are told to `complain` and are in "bad_lines".
Result<json::value> scan(const Home& home, s2::ScanRequest request,
                         const std::function<void(std::string_view)>& print,
                         const std::function<void(const Error&)>& complain);

}  // namespace understudy::console
