#include "console/report_pdf.hpp"

#include "base/run_program.hpp"

namespace understudy::console {

Result<std::filesystem::path> write_pdf(const std::filesystem::path& html) {
  const std::filesystem::path pdf = std::filesystem::path(html).replace_extension(".pdf");
  // It grows under another name: a half-written page never stands in place of a whole one.
  const std::filesystem::path partial = pdf.string() + ".partial";
  const auto outcome =
      run_program({.words = {"weasyprint", "--quiet", html.string(), partial.string()},
                   .errors = ProgramErrors::passed_on});
  if (!outcome) {
    return fail(ErrorCode::unsupported,
                "PDF is written by weasyprint, which cannot be run: " + outcome.error().message,
                "install it (Debian: weasyprint), or print " + html.string() + " from a browser");
  }
  std::error_code error;
  if (outcome->exit_code != 0) {
    std::filesystem::remove(partial, error);
    return fail(ErrorCode::internal, "weasyprint could not write " + pdf.string(),
                "its message stands above");
  }
  std::filesystem::rename(partial, pdf, error);
  if (error) return fail(ErrorCode::unavailable, "cannot write " + pdf.string());
  return pdf;
}

}  // namespace understudy::console
