#include "console/scan_jobs.hpp"

#include "base/files.hpp"

namespace understudy::console {

Result<json::value> scan(const Home& home, s2::ScanRequest request,
                         const std::function<void(std::string_view)>& print,
                         const std::function<void(const Error&)>& complain) {
  const std::filesystem::path configuration = home.directory() / "understudy.toml";
  if (std::filesystem::exists(configuration))
    request.rules = TRY(s2::parse_custom_rules(TRY(read_file(configuration))));
  return to_json(TRY(s2::scan_lines(request, print, complain)));
}

}  // namespace understudy::console
