#include "adapters/lm/open_model.hpp"

#include "base/own_library.hpp"

namespace understudy::lm {

Result<std::unique_ptr<SmallModel>> open_model(const OpenModelOptions& options) {
  using Open = void(const OpenModelOptions*, Result<std::unique_ptr<SmallModel>>*);
  auto* const open =
      TRY(function_of_own_library<Open>("understudy-models.so", "understudy_open_model"));
  Result<std::unique_ptr<SmallModel>> model;
  open(&options, &model);
  return model;
}

}  // namespace understudy::lm
