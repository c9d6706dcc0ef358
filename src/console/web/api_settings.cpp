// The home, the machine, the configuration, the data set and the prices, as they are.
#include "adapters/machine/machine.hpp"
#include "adapters/store/dataset.hpp"
#include "console/web/api.hpp"

namespace understudy::console {

Reply ConsoleApi::settings(const ApiRequest&) {
  json::object out{{"home", options_.home.directory().string()}, {"version", options_.version}};
  if (const auto machine = machine::read_machine()) {
    out["machine"] = json::object{{"cores", machine->cores},
                                  {"memory_bytes", machine->memory_bytes},
                                  {"memory_available_bytes", machine->memory_available_bytes}};
  }
  const auto dataset = store::current_dataset(options_.home);
  out["dataset"] = dataset ? json::value(dataset->value) : json::value(nullptr);
  put_or_problem(
      out, "manifest",
      dataset ? store::read_manifest(options_.home, *dataset) : Result<json::value>(nullptr));
  out["gateway"] = options_.describe_gateway ? options_.describe_gateway() : nullptr;
  if (const auto prices = economics::PriceTable::load(options_.home.directory() / "prices.toml")) {
    json::array listed;
    for (const economics::Price& price : prices->prices()) {
      listed.push_back(json::object{{"model", price.model},
                                    {"input_usd_per_million", price.input_usd_per_million},
                                    {"output_usd_per_million", price.output_usd_per_million},
                                    {"as_of", price.as_of},
                                    {"source", price.source}});
    }
    out["prices"] = std::move(listed);
    out["machine_usd_per_hour"] = prices->machine_usd_per_hour();
  } else {
    out["prices_problem"] = prices.error().message;
  }
  return reply_of(std::move(out));
}

}  // namespace understudy::console
