#include "steps/s2_curate/detect/find_names.hpp"

namespace understudy::s2 {

void NameFinder::find(const Leaf&, double, std::vector<Entity>&) const {}

}  // namespace understudy::s2
