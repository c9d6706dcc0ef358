// Metric families as prometheus-cpp serialises them, filled at scrape time. Private to
// adapters/telemetry: no prometheus header is needed to count.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "adapters/telemetry/metrics.hpp"
#include "adapters/telemetry/sharded_cells.hpp"

namespace understudy::telemetry {

class Families final : public Scrape {
 public:
  Families();
  ~Families() override;
  Families(const Families&) = delete;
  Families& operator=(const Families&) = delete;

  void gauge(std::string_view name, std::string_view help, double value, Labels labels) override;
  void gauge(std::string_view name, std::string_view help, double value) {
    gauge(name, help, value, {});
  }
  void counter(std::string_view name, std::string_view help, double value, Labels labels) override;
  void counter(std::string_view name, std::string_view help, double value) {
    counter(name, help, value, {});
  }
  struct HistogramValues {
    std::span<const double> bounds;         // upper, inclusive, ascending
    std::span<const std::uint64_t> counts;  // one more: what is above all bounds
    double sum = 0;
  };
  void histogram(std::string_view name, std::string_view help, const HistogramValues& values,
                 Labels labels);
  [[nodiscard]] std::string to_text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A histogram of whole numbers (microseconds, tokens) in consecutive cells: its buckets, then the
// sum. The unit that is shown is `per_unit` of them.
template <std::size_t N>
struct CellHistogram {
  std::array<std::uint64_t, N> bounds;
  double per_unit = 1;

  [[nodiscard]] static constexpr std::size_t cells() { return N + 2; }
  void observe(ShardedCells& cells, std::size_t first, std::uint64_t value) const {
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    cells.add(first + static_cast<std::size_t>(bucket));
    cells.add(first + N + 1, value);
  }
  void collect(Families& families, std::string_view name, std::string_view help,
               const ShardedCells& cells, std::size_t first, const Scrape::Labels& labels) const {
    std::array<double, N> shown;
    std::array<std::uint64_t, N + 1> counts;
    for (std::size_t i = 0; i < N; ++i) shown[i] = static_cast<double>(bounds[i]) / per_unit;
    for (std::size_t i = 0; i <= N; ++i) counts[i] = cells.total(first + i);
    families.histogram(name, help,
                       {.bounds = shown,
                        .counts = counts,
                        .sum = static_cast<double>(cells.total(first + N + 1)) / per_unit},
                       labels);
  }
};

// The gateway's own time: 1 us to 10 ms.
inline constexpr CellHistogram<13> microseconds_histogram{
    {1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000}};
// Times that others take, measured in us, shown in s: 0.1 ms to 5 minutes.
inline constexpr CellHistogram<14> latency_histogram{
    {100, 250, 500, 1'000, 2'500, 5'000, 10'000, 50'000, 100'000, 500'000, 1'000'000, 5'000'000,
     30'000'000, 300'000'000},
    1e6};
// The bounds that OpenTelemetry's GenAI conventions recommend.
inline constexpr CellHistogram<14> seconds_histogram{
    {10'000, 20'000, 40'000, 80'000, 160'000, 320'000, 640'000, 1'280'000, 2'560'000, 5'120'000,
     10'240'000, 20'480'000, 40'960'000, 81'920'000},
    1e6};
inline constexpr CellHistogram<14> tokens_histogram{{1, 4, 16, 64, 256, 1'024, 4'096, 16'384,
                                                     65'536, 262'144, 1'048'576, 4'194'304,
                                                     16'777'216, 67'108'864}};

// process_resident_memory_bytes and the others that Prometheus' client libraries agree on.
void collect_process(Families& families);

}  // namespace understudy::telemetry
