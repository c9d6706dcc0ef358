#include "steps/s2_curate/detect/id_finder.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "steps/s2_curate/detect/detector.hpp"

namespace understudy::s2 {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// The types of everything that a bare text may be.
std::vector<EntityType> candidates(std::string_view text) {
  static const IdFinder ids = *IdFinder::create();
  std::vector<Entity> found;
  ids.find(text, {.begin = 0, .end = text.size()}, {}, 0, found);
  std::vector<EntityType> types;
  for (const Entity& entity : found) types.push_back(entity.type);
  return types;
}

struct Vector {
  EntityType type;
  const char* valid;
  const char* wrong;  // another check digit, or a part that cannot be
};

TEST(IdFinder, ChecksTheDigitsOfManyCountries) {
  using enum EntityType;
  for (const auto& [type, valid, wrong] : {
           Vector{us_ssn, "536-22-1234", "000-22-1234"},
           Vector{us_npi, "1234567893", "1234567890"},
           Vector{aba_routing_number, "121000358", "121000359"},
           Vector{ca_sin, "130 692 544", "130 692 545"},
           Vector{br_cpf, "529.982.247-25", "529.982.247-26"},
           Vector{br_cnpj, "11.222.333/0001-81", "11.222.333/0001-82"},
           Vector{ar_cuit, "20-12345678-6", "20-12345678-5"},
           Vector{cl_rut, "12.345.678-5", "12.345.678-6"},
           Vector{uk_nhs, "401-023-2137", "401-023-2138"},
           Vector{uk_nino, "AA 12 34 56 B", "BG 12 34 56 B"},
           Vector{de_tax_id, "86095742719", "86095742718"},
           Vector{de_vat_id, "DE136695976", "DE136695977"},
           Vector{fr_nir, "1 84 12 76 451 089 46", "1 84 12 76 451 089 47"},
           Vector{es_nif, "12345678Z", "12345678A"},
           Vector{it_vat_code, "01333550323", "01333550324"},
           Vector{nl_bsn, "111222333", "111222334"},
           Vector{pl_pesel, "44051401458", "44051401459"},
           Vector{fi_personal_identity_code, "131052-308T", "131052-308U"},
           Vector{se_personnummer, "871220-2384", "871220-2385"},
           Vector{ch_ahv, "756.9217.0769.85", "756.9217.0769.84"},
           Vector{ee_isikukood, "37605030299", "37605030298"},
           Vector{in_aadhaar, "312345678909", "312345678908"},
           Vector{cn_resident_id, "11010519491231002X", "110105194912310021"},
           Vector{tr_national_id, "10000000146", "10000000147"},
           Vector{th_tnin, "1234567890121", "1234567890122"},
           Vector{kr_brn, "104-86-56659", "104-86-56658"},
           Vector{sg_nric_fin, "S2740116C", "S2740116CC"},
           Vector{hk_id, "A123456(3)", "A123456(4)"},
           Vector{tw_id, "A123456789", "A123456788"},
           Vector{au_tfn, "876543210", "876543211"},
           Vector{za_id_number, "8001015009087", "8001015009086"},
       }) {
    EXPECT_THAT(candidates(valid), Contains(type)) << valid;
    EXPECT_THAT(candidates(wrong), Not(Contains(type))) << wrong;
  }
}

TEST(IdFinder, AValidCheckDigitAloneIsNoEvidence) {
  const Detector detector = *Detector::create();
  const auto types = [&](std::string_view text, std::string_view key = {}) {
    std::vector<EntityType> all;
    for (const Entity& entity : detector.detect({.text = text, .key = key}))
      all.push_back(entity.type);
    return all;
  };
  EXPECT_THAT(types("id 4010232137"), testing::IsEmpty());
  EXPECT_THAT(types("NHS number 4010232137"), ElementsAre(EntityType::uk_nhs));
  EXPECT_THAT(types("4010232137", "nhsNumber"), ElementsAre(EntityType::uk_nhs));
  EXPECT_THAT(types("44051401458"), testing::IsEmpty());
  EXPECT_THAT(types("PESEL: 44051401458"), ElementsAre(EntityType::pl_pesel));
}

TEST(FormPattern, ReadsWhatRulesAreWrittenWith) {
  const auto ends = [](std::string_view expression, std::string_view text) {
    std::vector<std::size_t> all;
    FormPattern::parse(expression)->match(text, 0, [&](std::size_t end) {
      all.push_back(end);
      return false;
    });
    return all;
  };
  EXPECT_THAT(ends("[A-C]{2}-?[0-9]{1,3}", "ab-123"), ElementsAre(6, 5, 4));
  EXPECT_THAT(ends("(?:19|20)?[0-9]{2}", "2012"), ElementsAre(4, 2));
  EXPECT_THAT(ends("a|bc", "BC"), ElementsAre(2));
  EXPECT_THAT(ends("\\.x", "x"), testing::IsEmpty());
  for (const char* wrong : {"[+,-\x7f[", "[z-a]", "(?:(?:(?:x{32}){32}){32}){32}", "[a", "a{",
                            "a{3,1}", "(?:a", "a)", "a*", "a{99}"})
    EXPECT_FALSE(FormPattern::parse(wrong).has_value()) << wrong;
}

}  // namespace
}  // namespace understudy::s2
