#include "economics/built_in_prices.hpp"

namespace understudy::economics {

std::string_view built_in_prices() {
  return R"(
# Public list prices in US dollars per million tokens, without discounts for batches or cached prompts.
# `as_of` is when the price was introduced; check it yourself, and write your own into HOME/prices.toml.

[[price]]
model = "gpt-4o"
input_usd_per_million = 2.50
output_usd_per_million = 10.00
as_of = "2024-10-01"
source = "OpenAI price list"

[[price]]
model = "gpt-4o-mini"
input_usd_per_million = 0.15
output_usd_per_million = 0.60
as_of = "2024-07-18"
source = "OpenAI price list"

[[price]]
model = "gpt-4.1"
input_usd_per_million = 2.00
output_usd_per_million = 8.00
as_of = "2025-04-14"
source = "OpenAI price list"

[[price]]
model = "gpt-4.1-mini"
input_usd_per_million = 0.40
output_usd_per_million = 1.60
as_of = "2025-04-14"
source = "OpenAI price list"

[[price]]
model = "gpt-4.1-nano"
input_usd_per_million = 0.10
output_usd_per_million = 0.40
as_of = "2025-04-14"
source = "OpenAI price list"

[[price]]
model = "gpt-4-turbo"
input_usd_per_million = 10.00
output_usd_per_million = 30.00
as_of = "2023-11-06"
source = "OpenAI price list"

[[price]]
model = "gpt-4"
input_usd_per_million = 30.00
output_usd_per_million = 60.00
as_of = "2023-03-14"
source = "OpenAI price list"

[[price]]
model = "gpt-3.5-turbo"
input_usd_per_million = 0.50
output_usd_per_million = 1.50
as_of = "2024-01-25"
source = "OpenAI price list"

[[price]]
model = "claude-3-7-sonnet"
input_usd_per_million = 3.00
output_usd_per_million = 15.00
as_of = "2025-02-24"
source = "Anthropic price list"

[[price]]
model = "claude-3-5-sonnet"
input_usd_per_million = 3.00
output_usd_per_million = 15.00
as_of = "2024-06-20"
source = "Anthropic price list"

[[price]]
model = "claude-3-5-haiku"
input_usd_per_million = 0.80
output_usd_per_million = 4.00
as_of = "2024-12-01"
source = "Anthropic price list"

[[price]]
model = "gemini-2.0-flash"
input_usd_per_million = 0.10
output_usd_per_million = 0.40
as_of = "2025-02-05"
source = "Google price list"

[[price]]
model = "simulated-llm"
input_usd_per_million = 2.50
output_usd_per_million = 10.00
as_of = "2026-11-24"
source = "made up for the demo: as gpt-4o"
)";
}

}  // namespace understudy::economics
