#include "live/api/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "adapters/wire/api.hpp"
#include "live/api/openapi.hpp"

namespace understudy::live {
namespace {

using testing::HasSubstr;

TEST(Routes, ACallsPathIsOneOfAModelApiAndNoOther) {
  for (const GatewayRoute& route : gateway_routes())
    EXPECT_EQ(route.job == GatewayJob::call, wire::api_of_path(route.path).has_value())
        << route.path;
}

TEST(Routes, HealthIsAnsweredToAnyMethodAndOtherPathsAreNot) {
  ASSERT_NE(find_gateway_route("HEAD", "/health"), nullptr);
  EXPECT_EQ(find_gateway_route("GET", "/v1/chat/completions"), nullptr);
  EXPECT_EQ(find_gateway_route("POST", "/v1/models"), nullptr);
  EXPECT_EQ(find_gateway_route("POST", "/v1/files"), nullptr);
}

TEST(Routes, ANameStandsBehindItsPathAndIsNotEmpty) {
  const AdminRoute* revoke = nullptr;
  for (const AdminRoute& route : admin_routes())
    if (route.job == AdminJob::revoke_key) revoke = &route;
  ASSERT_NE(revoke, nullptr);
  EXPECT_EQ(match(*revoke, "/admin/keys/agents").name, "agents");
  EXPECT_EQ(match(*revoke, "/admin/keys/").route, nullptr);
  EXPECT_EQ(match(*revoke, "/admin/keys").route, nullptr);
}

TEST(Routes, EachStandsOnItsPage) {
  const std::string gateway = gateway_openapi("1.2.3");
  for (const GatewayRoute& route : gateway_routes())
    EXPECT_THAT(gateway, HasSubstr("  " + std::string(route.path) + ":\n"));
  const std::string admin = admin_openapi("1.2.3");
  for (const AdminRoute& route : admin_routes()) {
    EXPECT_THAT(admin, HasSubstr("  " + std::string(route.path) + ":\n"));
    EXPECT_THAT(admin, HasSubstr(route.summary));
  }
  EXPECT_THAT(gateway, HasSubstr("version: \"1.2.3\""));
}

}  // namespace
}  // namespace understudy::live
