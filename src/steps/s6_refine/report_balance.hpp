// The economic part of the report: what small models cost against what they spared, what a cache
// would have saved without them, and both as JSON and as a section of the page. Private to
// steps/s6_refine.
#pragma once

#include <optional>
#include <string>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/home.hpp"
#include "adapters/store/metadata.hpp"
#include "economics/price_table.hpp"
#include "steps/s6_refine/report.hpp"

namespace understudy::s6 {

// Over the current data set; nothing where there is none or the key does not open it.
std::optional<CacheHits> count_cache_hits(const store::Home& home, const crypto::SecretKey& reader,
                                          const economics::PriceTable& prices);

// Fills what the report says about costs, from what it holds already.
Status draw_balance(Report& report, const Traffic& traffic, const economics::PriceTable& prices,
                    const store::Metadata& metadata);

json::value balance_to_json(const Report& report);
std::string balance_section(const Report& report);

}  // namespace understudy::s6
