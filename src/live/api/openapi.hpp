// The gateway's and the admin API's routes as OpenAPI 3.1 documents in YAML. Pure.
#pragma once

#include <string>
#include <string_view>

namespace understudy::live {

std::string gateway_openapi(std::string_view version);
std::string admin_openapi(std::string_view version);

}  // namespace understudy::live
