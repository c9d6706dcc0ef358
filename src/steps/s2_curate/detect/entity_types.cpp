#include "steps/s2_curate/detect/entity_types.hpp"

#include <array>

namespace understudy::s2 {

namespace {

struct Names {
  std::string_view ours;
  std::string_view presidio;
};
constexpr auto names =
    std::to_array<Names>({{"secret", "SECRET"},
                          {"email", "EMAIL_ADDRESS"},
                          {"iban", "IBAN_CODE"},
                          {"card", "CREDIT_CARD"},
                          {"ip", "IP_ADDRESS"},
                          {"phone", "PHONE_NUMBER"},
                          {"mac", "MAC_ADDRESS"},
                          {"crypto", "CRYPTO"},
                          {"url", "URL"},
                          {"date_time", "DATE_TIME"},
                          {"person", "PERSON"},
                          {"location", "LOCATION"},
                          {"organization", "ORGANIZATION"},
                          {"nrp", "NRP"},
                          {"us_ssn", "US_SSN"},
                          {"us_itin", "US_ITIN"},
                          {"us_passport", "US_PASSPORT"},
                          {"us_driver_license", "US_DRIVER_LICENSE"},
                          {"us_bank_number", "US_BANK_NUMBER"},
                          {"us_npi", "US_NPI"},
                          {"us_mbi", "US_MBI"},
                          {"aba_routing_number", "ABA_ROUTING_NUMBER"},
                          {"medical_license", "MEDICAL_LICENSE"},
                          {"medical_record_number", "MEDICAL_RECORD_NUMBER"},
                          {"uk_nhs", "UK_NHS"},
                          {"uk_nino", "UK_NINO"},
                          {"uk_passport", "UK_PASSPORT"},
                          {"uk_driving_licence", "UK_DRIVING_LICENCE"},
                          {"uk_postcode", "UK_POSTCODE"},
                          {"uk_vehicle_registration", "UK_VEHICLE_REGISTRATION"},
                          {"de_id_card", "DE_ID_CARD"},
                          {"de_passport", "DE_PASSPORT"},
                          {"de_tax_id", "DE_TAX_ID"},
                          {"de_tax_number", "DE_TAX_NUMBER"},
                          {"de_vat_id", "DE_VAT_ID"},
                          {"de_social_security", "DE_SOCIAL_SECURITY"},
                          {"de_health_insurance", "DE_HEALTH_INSURANCE"},
                          {"de_fuehrerschein", "DE_FUEHRERSCHEIN"},
                          {"de_kfz", "DE_KFZ"},
                          {"de_plz", "DE_PLZ"},
                          {"de_bsnr", "DE_BSNR"},
                          {"de_lanr", "DE_LANR"},
                          {"de_handelsregister", "DE_HANDELSREGISTER"},
                          {"es_nif", "ES_NIF"},
                          {"es_nie", "ES_NIE"},
                          {"es_passport", "ES_PASSPORT"},
                          {"it_fiscal_code", "IT_FISCAL_CODE"},
                          {"it_vat_code", "IT_VAT_CODE"},
                          {"it_driver_license", "IT_DRIVER_LICENSE"},
                          {"it_identity_card", "IT_IDENTITY_CARD"},
                          {"it_passport", "IT_PASSPORT"},
                          {"pl_pesel", "PL_PESEL"},
                          {"fi_personal_identity_code", "FI_PERSONAL_IDENTITY_CODE"},
                          {"se_personnummer", "SE_PERSONNUMMER"},
                          {"se_organisationsnummer", "SE_ORGANISATIONSNUMMER"},
                          {"au_abn", "AU_ABN"},
                          {"au_acn", "AU_ACN"},
                          {"au_tfn", "AU_TFN"},
                          {"au_medicare", "AU_MEDICARE"},
                          {"in_aadhaar", "IN_AADHAAR"},
                          {"in_pan", "IN_PAN"},
                          {"in_gstin", "IN_GSTIN"},
                          {"in_passport", "IN_PASSPORT"},
                          {"in_voter", "IN_VOTER"},
                          {"in_vehicle_registration", "IN_VEHICLE_REGISTRATION"},
                          {"kr_rrn", "KR_RRN"},
                          {"kr_frn", "KR_FRN"},
                          {"kr_brn", "KR_BRN"},
                          {"kr_passport", "KR_PASSPORT"},
                          {"kr_driver_license", "KR_DRIVER_LICENSE"},
                          {"th_tnin", "TH_TNIN"},
                          {"tr_national_id", "TR_NATIONAL_ID"},
                          {"tr_license_plate", "TR_LICENSE_PLATE"},
                          {"tr_phone_number", "TR_PHONE_NUMBER"},
                          {"ng_nin", "NG_NIN"},
                          {"ng_vehicle_registration", "NG_VEHICLE_REGISTRATION"},
                          {"ph_mobile_number", "PH_MOBILE_NUMBER"},
                          {"ph_tin", "PH_TIN"},
                          {"sg_nric_fin", "SG_NRIC_FIN"},
                          {"sg_uen", "SG_UEN"},
                          {"za_id_number", "ZA_ID_NUMBER"},
                          {"ca_sin", "CA_SIN"},
                          {"fr_nir", "FR_NIR"},
                          {"nl_bsn", "NL_BSN"},
                          {"be_national_number", "BE_NATIONAL_NUMBER"},
                          {"pt_nif", "PT_NIF"},
                          {"br_cpf", "BR_CPF"},
                          {"br_cnpj", "BR_CNPJ"},
                          {"mx_curp", "MX_CURP"},
                          {"ar_cuit", "AR_CUIT"},
                          {"cl_rut", "CL_RUT"},
                          {"cn_resident_id", "CN_RESIDENT_ID"},
                          {"jp_my_number", "JP_MY_NUMBER"},
                          {"dk_cpr", "DK_CPR"},
                          {"no_fodselsnummer", "NO_FODSELSNUMMER"},
                          {"cz_birth_number", "CZ_BIRTH_NUMBER"},
                          {"ro_cnp", "RO_CNP"},
                          {"bg_egn", "BG_EGN"},
                          {"hr_oib", "HR_OIB"},
                          {"ee_isikukood", "EE_ISIKUKOOD"},
                          {"ch_ahv", "CH_AHV"},
                          {"ie_pps", "IE_PPS"},
                          {"il_id_number", "IL_ID_NUMBER"},
                          {"hk_id", "HK_ID"},
                          {"tw_id", "TW_ID"},
                          {"ru_inn", "RU_INN"},
                          {"ru_snils", "RU_SNILS"},
                          {"number", "NUMBER"},
                          {"custom", "CUSTOM"}});
static_assert(names.size() == entity_type_count, "a name for every type");

}  // namespace

std::string_view to_string(EntityType type) { return names[static_cast<std::size_t>(type)].ours; }

std::string_view presidio_name(EntityType type) {
  return names[static_cast<std::size_t>(type)].presidio;
}

std::optional<EntityType> parse_presidio_name(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].presidio == name) return static_cast<EntityType>(i);
  }
  return std::nullopt;
}

}  // namespace understudy::s2
