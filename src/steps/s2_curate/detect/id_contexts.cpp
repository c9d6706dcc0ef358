#include <array>

#include "steps/s2_curate/detect/id_rules.hpp"

namespace understudy::s2 {

namespace {

using enum EntityType;

constexpr auto contexts = std::to_array<IdContext>({
    {us_ssn, "ssn|social security|soc sec"},
    {us_itin, "itin|taxpayer id|individual taxpayer"},
    {us_passport, "passport|travel document"},
    {us_driver_license,
     "driver license|driver's license|drivers license|driver licence|driving "
     "license|dl number|license number|driver_license|driverlicense"},
    {us_bank_number, "bank account|account number|account no|acct|checking account|accountnumber"},
    {us_npi, "npi|national provider"},
    {us_mbi, "mbi|medicare beneficiary|medicare number|medicare id"},
    {aba_routing_number, "aba|routing"},
    {medical_license, "dea number|dea #|dea no|certificate number|medical license"},
    {medical_record_number, "mrn|medical record|patient id|patient number|chart number|patientid"},
    {uk_nhs, "nhs"},
    {uk_nino, "nino|national insurance|ni number"},
    {uk_passport, "passport"},
    {uk_driving_licence, "driving licence|driver number|dvla"},
    {uk_postcode, "postcode|post code|postal code"},
    {uk_vehicle_registration, "number plate|registration|car reg|vehicle|licence plate|vrm|vrn"},
    {ie_pps, "pps number|ppsn|pps no"},
    {de_id_card, "personalausweis|ausweis|ausweisnummer"},
    {de_passport, "reisepass|passnummer"},
    {de_tax_id, "steuer-id|steueridentifikation|steuer id|idnr|tin|steuerid"},
    {de_tax_number, "steuernummer|st.-nr|steuer-nr|stnr"},
    {de_vat_id, "ust-id|umsatzsteuer|vat id|vat number|ustid|mwst"},
    {de_social_security, "sozialversicherung|rentenversicherung|sv-nummer|versicherungsnummer"},
    {de_health_insurance, "krankenversicher|krankenkasse|kvnr|versichertennummer"},
    {de_fuehrerschein, "f\xc3\xbchrerschein|fuehrerschein|fahrerlaubnis"},
    {de_kfz, "kennzeichen|nummernschild|kfz"},
    {de_plz, "plz|postleitzahl"},
    {de_bsnr, "bsnr|betriebsst\xc3\xa4tte"},
    {de_lanr, "lanr|arztnummer"},
    {de_handelsregister, "handelsregister|registergericht"},
    {es_nif, "dni|nif|documento nacional"},
    {es_nie, "nie|extranjero"},
    {es_passport, "pasaporte"},
    {it_fiscal_code, "codice fiscale|fiscal code"},
    {it_vat_code, "partita iva|p.iva|p. iva|vat"},
    {it_driver_license, "patente"},
    {it_identity_card, "carta d'identit|carta di identit|carta identit"},
    {it_passport, "passaporto"},
    {pl_pesel, "pesel"},
    {fi_personal_identity_code, "henkil\xc3\xb6tunnus|hetu|personal identity code"},
    {se_personnummer, "personnummer|personnr|samordningsnummer"},
    {se_organisationsnummer, "organisationsnummer|orgnummer|org.nr|orgnr|f\xc3\xb6retag"},
    {au_abn, "abn|australian business"},
    {au_acn, "acn|australian company"},
    {au_tfn, "tfn|tax file"},
    {au_medicare, "medicare"},
    {in_aadhaar, "aadhaar|aadhar|uidai"},
    {in_pan, "pan number|pan card|permanent account"},
    {in_gstin, "gstin|gst number"},
    {in_passport, "passport"},
    {in_voter, "voter|epic number|elector|vote with"},
    {in_vehicle_registration, "registration number|vehicle|number plate|rto"},
    {kr_rrn, "rrn|resident registration|\xec\xa3\xbc\xeb\xaf\xbc\xeb\x93\xb1\xeb\xa1\x9d"},
    {kr_frn,
     "frn|foreigner registration|alien registration|"
     "\xec\x99\xb8\xea\xb5\xad\xec\x9d\xb8\xeb\x93\xb1\xeb\xa1\x9d"},
    {kr_brn, "business registration|\xec\x82\xac\xec\x97\x85\xec\x9e\x90"},
    {kr_passport, "passport|\xec\x97\xac\xea\xb6\x8c"},
    {kr_driver_license, "license|\xec\x9a\xb4\xec\xa0\x84\xeb\xa9\xb4\xed\x97\x88"},
    {th_tnin,
     "thai national|tnin|\xe0\xb8\x9b\xe0\xb8\xa3\xe0\xb8\xb0\xe0\xb8\x8a\xe0\xb8\xb2\xe0"
     "\xb8\x8a\xe0\xb8\x99"},
    {tr_national_id, "tc kimlik|tckn|kimlik"},
    {tr_license_plate, "plaka|plakas"},
    {tr_phone_number, "telefon|cep"},
    {ng_nin, "nin|national identification number"},
    {ng_vehicle_registration, "plate number|vehicle|registration"},
    {ph_mobile_number, "telepono|numero|mobile|cell|selpon"},
    {ph_tin, "tin|bir|tax id"},
    {sg_nric_fin, "nric|fin number|fin no"},
    {sg_uen, "uen|unique entity"},
    {za_id_number, "south african id|id number|id no|identity number"},
    {ca_sin, "sin number|my sin|social insurance|sin:|sin no"},
    {fr_nir,
     "s\xc3\xa9"
     "curit\xc3\xa9 sociale|securite sociale|num\xc3\xa9ro de s\xc3\xa9"
     "cu|nir"},
    {nl_bsn, "bsn|burgerservicenummer|sofinummer"},
    {be_national_number, "rijksregister|registre national|national number|nrn"},
    {pt_nif, "nif|contribuinte"},
    {br_cpf, "cpf"},
    {br_cnpj, "cnpj"},
    {mx_curp, "curp"},
    {ar_cuit, "cuit|cuil"},
    {cl_rut, "rut|rol \xc3\xbanico"},
    {cn_resident_id, "\xe8\xba\xab\xe4\xbb\xbd\xe8\xaf\x81|resident identity|chinese id"},
    {jp_my_number,
     "my number|\xe3\x83\x9e\xe3\x82\xa4\xe3\x83\x8a\xe3\x83\xb3\xe3\x83\x90\xe3\x83"
     "\xbc|mynumber"},
    {dk_cpr, "cpr"},
    {no_fodselsnummer,
     "f\xc3\xb8"
     "dselsnummer|fodselsnummer|personnummer"},
    {cz_birth_number, "rodn\xc3\xa9 \xc4\x8d\xc3\xadslo|rodne cislo|birth number"},
    {ro_cnp, "cnp|cod numeric personal"},
    {bg_egn, "egn|\xd0\xb5\xd0\xb3\xd0\xbd"},
    {hr_oib, "oib"},
    {ee_isikukood, "isikukood|asmens kodas|personal code"},
    {ch_ahv, "ahv|avs"},
    {il_id_number, "teudat zehut|israeli id|id number"},
    {hk_id, "hkid|hong kong id"},
    {tw_id, "taiwan id|national id"},
    {ru_inn, "\xd0\xb8\xd0\xbd\xd0\xbd|inn"},
    {ru_snils, "\xd1\x81\xd0\xbd\xd0\xb8\xd0\xbb\xd1\x81|snils"},
});

}  // namespace

std::span<const IdContext> id_contexts() { return contexts; }

}  // namespace understudy::s2
