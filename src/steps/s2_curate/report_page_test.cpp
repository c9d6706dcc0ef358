#include "steps/s2_curate/report_page.hpp"

#include <gmock/gmock.h>

namespace understudy::s2 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CurateReportPage, ShowsCountsByReasonTypeAndPlaceAndEscapesThem) {
  CurateReport report;
  report.calls_read = 12'345;
  report.dropped["refusal"] = 7;
  report.distinct_values["person"] = 2;
  report.entities["person"] = 31;
  report.places["person"]["<script>"] = 30;
  report.samples["person"] = {"Xxxx Xxx"};
  report.paraphrase["t-1"]["number"] = {
      .examples = 1400, .varied = 1300, .kept = {{"not_in_the_prompt", 100}}};
  report.warnings = {"a & b"};
  const std::string page = to_html(report);
  EXPECT_THAT(page, HasSubstr("12&#8239;345"));
  EXPECT_THAT(page, HasSubstr("refusal"));
  EXPECT_THAT(page, HasSubstr("not_in_the_prompt&nbsp;100"));
  EXPECT_THAT(page, HasSubstr("<code>Xxxx Xxx</code>"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, HasSubstr("a &amp; b"));
  EXPECT_THAT(page, Not(HasSubstr("http"))) << "nothing is loaded from elsewhere";
}

}  // namespace
}  // namespace understudy::s2
