#include "steps/s3_cluster/text_clusters.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <unordered_map>

#include "adapters/cluster/leiden.hpp"
#include "adapters/cluster/neighbours.hpp"
#include "adapters/cluster/svd.hpp"
#include "adapters/text/hashing.hpp"
#include "adapters/text/ngram_features.hpp"
#include "base/limits.hpp"
#include "steps/s3_cluster/agreement.hpp"
#include "steps/s3_cluster/line_mask.hpp"

namespace understudy::s3 {

namespace {

constexpr text::NgramOptions ngrams{.hash_bits = 17, .char_ngram_min = 3};
constexpr std::uint32_t text_columns = 2U << ngrams.hash_bits;
constexpr std::size_t dimensions = 384;       // 0.02 NMI above 128 for 150 intents, 0.01 above 256
constexpr std::size_t half_dimensions = 256;  // of half the features
constexpr std::size_t points_max = 8000;      // in the graph; the others join the nearest group
constexpr double resolutions[] = {0.25, 0.5, 1, 2, 4, 8, 16, 32, 64};

using Groups = std::vector<std::uint32_t>;

// Words and characters weigh the same, whatever their number.
cluster::SparseRow row_of(text::SparseVector vector) {
  constexpr std::uint32_t first_character = 1U << ngrams.hash_bits;
  float norms[2] = {0, 0};
  for (const text::Feature& feature : vector)
    norms[feature.index < first_character ? 0 : 1] += feature.value * feature.value;
  cluster::SparseRow row;
  for (const text::Feature& feature : vector) {
    const float norm = 2 * norms[feature.index < first_character ? 0 : 1];
    row.push_back({.column = feature.index, .value = feature.value / std::sqrt(norm)});
  }
  return row;
}

enum class Half { first, second };

// Half of the features; what the call did is in both.
std::vector<cluster::SparseRow> half_of(const std::vector<cluster::SparseRow>& rows, Half half) {
  std::vector<cluster::SparseRow> kept(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const cluster::Entry& entry : rows[i]) {
      const bool first = (entry.column * 2'654'435'769U) >> 31U == 0;
      if (entry.column >= text_columns || first == (half == Half::first)) kept[i].push_back(entry);
    }
  }
  return kept;
}

class Grouping {
 public:
  Grouping(const std::vector<TextItem>& items, const TextClusterOptions& options)
      : items_(items), options_(options) {}

  Result<TextClusters> run() {
    make_points();
    make_rows();
    choose_sample();
    TRY(cut_sample());
    TextClusters made = place_all();
    made.sweep = std::move(sweep_);
    made.resolution = resolution_;
    return made;
  }

 private:
  // One point per text, numbers and quoted values aside, and shape.
  void make_points() {
    std::map<std::uint64_t, std::vector<std::uint32_t>> by_mask;  // ordered by hash: like a shuffle
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      const std::string_view front = items_[i].text.substr(0, limits::clustered_text_bytes_max);
      by_mask[text::hash64(mask_line(front), text::hash64(items_[i].shape))].push_back(i);
    }
    for (auto& [mask, members] : by_mask) points_.push_back(std::move(members));
  }

  // A point whose texts are all of one session has that session as its group.
  [[nodiscard]] std::vector<std::uint32_t> sessions_of(
      const std::vector<std::uint32_t>& points) const {
    std::uint32_t fresh = 0;
    for (const TextItem& item : items_) fresh = std::max(fresh, item.session + 1);
    std::vector<std::uint32_t> sessions;
    for (const std::uint32_t point : points) {
      const std::uint32_t session = items_[points_[point].front()].session;
      const bool single = std::ranges::all_of(
          points_[point], [&](std::uint32_t item) { return items_[item].session == session; });
      sessions.push_back(single ? session : fresh++);
    }
    return sessions;
  }

  void make_rows() {
    std::vector<text::SparseVector> counts;
    for (const auto& members : points_) {
      const std::string_view text = items_[members.front()].text;
      counts.push_back(
          text::ngram_counts(text.substr(0, limits::clustered_text_bytes_max), ngrams));
    }
    const text::TfIdf weights = text::TfIdf::fit(counts, text_columns);
    const bool embedded =
        std::ranges::none_of(items_, [](const TextItem& item) { return item.embedding.empty(); });
    for (std::size_t point = 0; point < points_.size(); ++point) {
      const TextItem& item = items_[points_[point].front()];
      cluster::SparseRow row;
      if (embedded) {
        for (std::uint32_t i = 0; i < item.embedding.size() && i < text_columns; ++i)
          row.push_back({.column = i, .value = item.embedding[i]});
      } else {
        row = row_of(weights.apply(std::move(counts[point])));
      }
      if (!item.shape.empty()) {
        constexpr float text_weight = 0.7F;  // against 1 for the shape
        for (cluster::Entry& entry : row) entry.value *= text_weight;
        const auto shape = static_cast<std::uint32_t>(text::hash64(item.shape) % 4096);
        row.push_back({.column = text_columns + shape, .value = 1.0F});
      }
      rows_.push_back(std::move(row));
    }
  }

  // Points are ordered by hash, so that a part of them is a random sample.
  void choose_sample() {
    const std::size_t count = std::min(points_.size(), points_max);
    for (std::size_t i = 0; i < count; ++i)
      sample_.push_back(static_cast<std::uint32_t>(i * points_.size() / count));
    for (const std::uint32_t point : sample_) sampled_rows_.push_back(rows_[point]);
  }

  [[nodiscard]] Result<std::vector<cluster::Edge>> graph_of(const cluster::DenseRows& rows) const {
    return cluster::nearest_neighbours(rows, sessions_of(sample_), {});
  }

  Status cut_sample() {
    cluster::SvdFit fit =
        cluster::fit_svd(sampled_rows_, {.dimensions = dimensions, .seed = options_.seed});
    basis_ = std::move(fit.basis);
    const auto edges = TRY(graph_of(fit.rows));
    std::vector<cluster::Edge> halves[2];
    for (const Half half : {Half::first, Half::second}) {
      const auto rows = cluster::truncated_svd(
          half_of(sampled_rows_, half), {.dimensions = half_dimensions, .seed = options_.seed});
      halves[half == Half::first ? 0 : 1] = TRY(graph_of(rows));
    }
    double best = 0;
    for (const double resolution : resolutions) {
      const Groups one = TRY(cut(halves[0], resolution));
      const Groups two = TRY(cut(halves[1], resolution));
      sweep_.push_back({.resolution = resolution,
                        .agreement = agreement(one, two).ami,
                        .groups = std::set(one.begin(), one.end()).size()});
      best = std::max(best, sweep_.back().agreement);
    }
    constexpr double about_as_good = 0.995;
    const auto chosen = std::ranges::find_if(sweep_, [&](const ResolutionTried& tried) {
      return tried.agreement >= about_as_good * best;
    });
    resolution_ = chosen->resolution;
    sampled_groups_ = TRY(cut(edges, resolution_));
    return {};
  }

  [[nodiscard]] Result<Groups> cut(const std::vector<cluster::Edge>& edges,
                                   double resolution) const {
    return cluster::leiden(sample_.size(), edges,
                           {.resolution = resolution, .seed = options_.seed});
  }

  // Groups that are large enough; all of the sample is one where none is.
  std::map<std::uint32_t, std::vector<float>> centroids(const cluster::DenseRows& coordinates) {
    std::map<std::uint32_t, std::size_t> calls;
    std::map<std::uint32_t, std::set<std::uint32_t>> sessions;
    std::map<std::uint32_t, std::vector<float>> sums;
    for (std::size_t i = 0; i < sample_.size(); ++i) {
      const std::uint32_t group = sampled_groups_[i];
      for (const std::uint32_t item : points_[sample_[i]]) {
        ++calls[group];
        sessions[group].insert(items_[item].session);
      }
      auto& sum = sums[group];
      sum.resize(coordinates.columns);
      const auto row = coordinates.row(sample_[i]);
      for (std::size_t j = 0; j < row.size(); ++j) sum[j] += row[j];
    }
    std::map<std::uint32_t, std::vector<float>> kept;
    for (auto& [group, sum] : sums) {
      if (calls[group] < options_.calls_min || sessions[group].size() < options_.sessions_min)
        continue;
      const float length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0F));
      for (float& value : sum) value = length > 0 ? value / length : 0;
      kept.emplace(static_cast<std::uint32_t>(kept.size()), std::move(sum));
      renumbered_[group] = static_cast<std::uint32_t>(kept.size() - 1);
    }
    return kept;
  }

  // Sampled points of kept groups stay; every other joins the nearest.
  TextClusters place_all() {
    const cluster::DenseRows coordinates = basis_.project(rows_);
    const auto kept = centroids(coordinates);
    std::vector<std::uint32_t> group_of(points_.size(), unplaced);
    for (std::size_t i = 0; i < sample_.size(); ++i) {
      if (const auto found = renumbered_.find(sampled_groups_[i]); found != renumbered_.end())
        group_of[sample_[i]] = found->second;
    }
    TextClusters made;
    made.group.resize(items_.size());
    made.margin.resize(items_.size());
    made.coordinates = {.columns = coordinates.columns,
                        .values = std::vector<float>(items_.size() * coordinates.columns)};
    for (std::size_t point = 0; point < points_.size(); ++point) {
      const auto row = coordinates.row(point);
      std::pair<float, std::uint32_t> first{-2, 0};
      float second = -2;
      float own = -2;
      for (const auto& [group, centroid] : kept) {
        const float near = std::inner_product(row.begin(), row.end(), centroid.begin(), 0.0F);
        if (group == group_of[point]) own = near;
        second = std::max(second, std::min(near, first.first));
        if (near > first.first) first = {near, group};
      }
      if (group_of[point] == unplaced) {
        group_of[point] = first.second;
        own = first.first;
      }
      const float margin =
          own < first.first ? 0 : std::clamp(own - std::max(second, 0.0F), 0.0F, 1.0F);
      for (const std::uint32_t item : points_[point]) {
        made.group[item] = group_of[point];
        made.margin[item] = kept.size() < 2 ? 1 : margin;
        std::ranges::copy(row, made.coordinates.values.begin() +
                                   static_cast<std::ptrdiff_t>(item * coordinates.columns));
      }
    }
    return made;
  }

  static constexpr std::uint32_t unplaced = 0xFFFFFFFF;

  const std::vector<TextItem>& items_;
  TextClusterOptions options_;
  std::vector<std::vector<std::uint32_t>> points_;  // items of each
  std::vector<cluster::SparseRow> rows_;            // one per point
  std::vector<std::uint32_t> sample_;               // points that the graph is made of
  std::vector<cluster::SparseRow> sampled_rows_;
  cluster::SvdBasis basis_;
  Groups sampled_groups_;
  std::map<std::uint32_t, std::uint32_t> renumbered_;  // groups that are large enough
  std::vector<ResolutionTried> sweep_;
  double resolution_ = 0;
};

}  // namespace

Result<TextClusters> cluster_texts(const std::vector<TextItem>& items,
                                   const TextClusterOptions& options) {
  if (items.empty()) return TextClusters{};
  return Grouping(items, options).run();
}

}  // namespace understudy::s3
