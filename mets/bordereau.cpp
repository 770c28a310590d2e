#include "mets/bordereau.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "mets/xml.hpp"
#include "store/base/csv.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

struct Words {
  std::string_view language, title, transferring, archival, number, operation, subject, agreement,
      sealed, content, dates, digest, items, analogue, files, volume, identifier, version,
      item_title, date, languages, original, credit, owner, conditions, signature_from,
      signature_to, place_date, none, not_said;
};

constexpr Words kFrench{.language = "fr",
                        .title = "Bordereau de versement",
                        .transferring = "Service versant",
                        .archival = "Service d'archives",
                        .number = "Numéro du versement",
                        .operation = "Identifiant de l'opération",
                        .subject = "Intitulé",
                        .agreement = "Convention",
                        .sealed = "Scellé le",
                        .content = "Présentation du contenu",
                        .dates = "Dates extrêmes",
                        .digest = "Empreinte SHA-512 du manifeste",
                        .items = "Nombre d'éléments",
                        .analogue = "dont sans fichier",
                        .files = "Nombre de fichiers",
                        .volume = "Volume",
                        .identifier = "Identifiant",
                        .version = "Version",
                        .item_title = "Titre",
                        .date = "Date",
                        .languages = "Langue",
                        .original = "Original analogique",
                        .credit = "Mention obligatoire",
                        .owner = "Propriétaire",
                        .conditions = "Conditions de réutilisation",
                        .signature_from = "Pour le service versant",
                        .signature_to = "Pour le service d'archives",
                        .place_date = "Lieu, date, nom et signature",
                        .none = "sans fichier",
                        .not_said = "non renseigné"};

constexpr Words kEnglish{.language = "en",
                         .title = "Transfer list (bordereau de versement)",
                         .transferring = "Transferring agency",
                         .archival = "Archival agency",
                         .number = "Transfer number",
                         .operation = "Identifier of the operation",
                         .subject = "Title",
                         .agreement = "Agreement",
                         .sealed = "Sealed on",
                         .content = "Content",
                         .dates = "First and last date",
                         .digest = "SHA-512 of the manifest",
                         .items = "Items",
                         .analogue = "of these without files",
                         .files = "Files",
                         .volume = "Volume",
                         .identifier = "Identifier",
                         .version = "Version",
                         .item_title = "Title",
                         .date = "Date",
                         .languages = "Language",
                         .original = "Analogue original",
                         .credit = "Mandatory credit",
                         .owner = "Owner",
                         .conditions = "Conditions of reuse",
                         .signature_from = "For the transferring agency",
                         .signature_to = "For the archival agency",
                         .place_date = "Place, date, name and signature",
                         .none = "no file",
                         .not_said = "not said"};

constexpr std::string_view kStyle =
    "body{font:11pt/1.4 'Noto Sans','Noto Sans Khmer',sans-serif;margin:2em;max-width:70em}"
    "h1{font-size:18pt}table{border-collapse:collapse;width:100%;margin:1em 0}"
    "th,td{border:1px solid #777;padding:.3em .5em;text-align:left;vertical-align:top}"
    "thead{display:table-header-group}tr{break-inside:avoid}.facts th{width:16em}"
    ".digest{font:8pt monospace;word-break:break-all}.number{text-align:right}"
    ".signatures td{height:7em;width:50%}@page{size:A4 landscape;margin:15mm}";

constexpr std::string_view kNamespace = "urn:versement:bordereau:1";

// ---------------------------------------------------------------------------- dates

bool is_iso_date(std::string_view text) {
  constexpr std::string_view kPattern = "0000-00-00";
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == '0' ? !digit : text[i] != '-') return false;
  }
  return true;
}

// ---------------------------------------------------------------------------- pages

std::string original_of_row(const BordereauRow& row) {
  std::vector<std::string> parts;
  for (const std::string* part :
       {&row.original.shelfmark, &row.original.box, &row.original.extent}) {
    if (!part->empty()) parts.push_back(*part);
  }
  return join(parts, ", ");
}

// All languages of a text, the wanted one first, each marked so that a browser picks its font.
std::string spans(const Localized& text, std::string_view first) {
  std::string out;
  const auto add = [&](const std::string& language, const std::string& value) {
    if (!out.empty()) out += "<br>";
    out += "<span lang=\"" + xml_escaped(language) + "\">" + xml_escaped(value) + "</span>";
  };
  const auto wanted = text.find(std::string(first));
  if (wanted != text.end()) add(wanted->first, wanted->second);
  for (const auto& [language, value] : in_order(text)) {
    if (language != first) add(language, value);
  }
  return out;
}

// Rights that are not there are told, not left to be guessed from an empty cell.
std::string said(const Localized& text, const Words& words) {
  return text.empty() ? "<em>" + std::string(words.not_said) + "</em>"
                      : spans(text, words.language);
}

std::string fact(std::string_view label, const std::string& html) {
  return "<tr><th>" + xml_escaped(label) + "</th><td>" + html + "</td></tr>\n";
}

std::string_view organisation(const Organisation& agency) {
  return agency.name.empty() ? agency.id : agency.name;
}

std::string dates_of(const BordereauTotals& totals) {
  if (totals.first_date == totals.last_date) return totals.first_date;
  return totals.first_date + " – " + totals.last_date;
}

std::string html_begin(const Bordereau& b, const Words& words) {
  const BordereauTotals& totals = b.totals;
  std::string out = "<!DOCTYPE html>\n<html lang=\"" + std::string(words.language) +
                    "\">\n<head><meta charset=\"utf-8\"><title>" + std::string(words.title) + " " +
                    xml_escaped(b.reference) + "</title>\n<style>" + std::string(kStyle) +
                    "</style></head>\n<body>\n<h1>" + std::string(words.title) + "</h1>\n";
  out += "<table class=\"facts\">\n";
  out += fact(words.transferring, xml_escaped(organisation(b.transferring_agency)));
  out += fact(words.archival, xml_escaped(organisation(b.archival_agency)));
  out += fact(words.number, xml_escaped(b.reference));
  out += fact(words.operation, xml_escaped(b.operation));
  out += fact(words.subject, spans(b.title, words.language));
  if (!b.description.empty()) out += fact(words.content, spans(b.description, words.language));
  out += fact(words.agreement, xml_escaped(b.agreement));
  out += fact(words.sealed, b.sealed_at.text_seconds());
  if (!totals.first_date.empty()) out += fact(words.dates, xml_escaped(dates_of(totals)));
  out += fact(words.items, std::to_string(totals.items));
  out += fact(words.analogue, std::to_string(totals.analogue));
  out += fact(words.files, std::to_string(totals.files));
  out += fact(words.volume,
              xml_escaped(human_bytes(totals.bytes)) + " (" + std::to_string(totals.bytes) + ")");
  out += fact(words.digest, "<span class=\"digest\">" + b.manifest_sha512 + "</span>");
  out += "</table>\n<table>\n<thead><tr>";
  for (const std::string_view heading :
       {words.identifier, words.version, words.item_title, words.date, words.languages,
        words.original, words.files, words.volume, words.credit, words.owner, words.conditions}) {
    out += "<th>" + xml_escaped(heading) + "</th>";
  }
  return out + "</tr></thead>\n<tbody>\n";
}

std::string html_row(const BordereauRow& row, const Words& words) {
  const Description& d = row.description;
  const auto cell = [](const std::string& html, std::string_view kind = "") {
    return kind.empty() ? "<td>" + html + "</td>"
                        : "<td class=\"" + std::string(kind) + "\">" + html + "</td>";
  };
  return "<tr>" + cell(xml_escaped(row.slug)) + cell(std::to_string(row.version), "number") +
         cell(spans(d.title, words.language)) + cell(xml_escaped(d.date)) +
         cell(xml_escaped(join(d.languages, ", "))) + cell(xml_escaped(original_of_row(row))) +
         cell(row.files == 0 ? std::string(words.none) : std::to_string(row.files), "number") +
         cell(row.files == 0 ? "" : xml_escaped(human_bytes(row.bytes)), "number") +
         cell(said(d.rights.credit_line, words)) + cell(said(d.rights.owner, words)) +
         cell(said(d.rights.conditions, words)) + "</tr>\n";
}

std::string html_end(const Words& words) {
  return "</tbody>\n</table>\n<table class=\"signatures\"><tr><td>" +
         xml_escaped(words.signature_from) + "<br><small>" + xml_escaped(words.place_date) +
         "</small></td><td>" + xml_escaped(words.signature_to) + "<br><small>" +
         xml_escaped(words.place_date) + "</small></td></tr></table>\n</body>\n</html>\n";
}

// ---------------------------------------------------------------------------- table

// The first fifteen have stood since the first version; further ones come behind.
constexpr std::array<std::string_view, 23> kColumns{
    "identifier", "version",   "title",      "title@en",      "title@km",     "date",
    "type",       "shelfmark", "box",        "extent",        "files",        "bytes",
    "credit",     "owner",     "conditions", "kind",          "languages",    "reproduction",
    "credit@en",  "owner@en",  "owner@km",   "conditions@en", "conditions@km"};

std::string in(const Localized& text, const char* language) {
  const auto found = text.find(language);
  return found == text.end() ? std::string() : found->second;
}

std::string_view kind_of(const BordereauRow& row) {
  return row.files == 0 ? "analogue" : "digital";
}

std::string csv_begin(const Bordereau& /*bordereau*/) {
  const std::vector<std::string> header(kColumns.begin(), kColumns.end());
  return csv::write_row(header);
}

std::string csv_row(const BordereauRow& row) {
  const Description& d = row.description;
  const Rights& rights = d.rights;
  const std::array<std::string, kColumns.size()> cells{row.slug,
                                                       std::to_string(row.version),
                                                       in(d.title, "fr"),
                                                       in(d.title, "en"),
                                                       in(d.title, "km"),
                                                       d.date,
                                                       d.type,
                                                       row.original.shelfmark,
                                                       row.original.box,
                                                       row.original.extent,
                                                       std::to_string(row.files),
                                                       std::to_string(row.bytes),
                                                       any_of(rights.credit_line),
                                                       any_of(rights.owner),
                                                       any_of(rights.conditions),
                                                       std::string(kind_of(row)),
                                                       join(d.languages, ", "),
                                                       rights.reproduction,
                                                       in(rights.credit_line, "en"),
                                                       in(rights.owner, "en"),
                                                       in(rights.owner, "km"),
                                                       in(rights.conditions, "en"),
                                                       in(rights.conditions, "km")};
  return csv::write_row(cells);
}

// ---------------------------------------------------------------------------- XML

using Attributes = std::initializer_list<XmlWriter::Attribute>;

// An element on a line of its own; an empty text makes none.
std::string element(std::string_view indent,
                    std::string_view name,
                    std::string_view text,
                    Attributes attributes = {}) {
  if (text.empty()) return {};
  std::string out(indent);
  out.append("<").append(name);
  for (const auto& [key, value] : attributes) {
    if (!value.empty()) out.append(" ").append(key).append("=\"") += xml_escaped(value) + "\"";
  }
  out += ">" + xml_escaped(text);
  return out.append("</").append(name).append(">\n");
}

std::string elements(std::string_view indent, std::string_view name, const Localized& text) {
  std::string out;
  for (const auto& [language, value] : in_order(text))
    out += element(indent, name, value, {{"lang", language}});
  return out;
}

constexpr std::string_view kOne = "  ";
constexpr std::string_view kTwo = "    ";
constexpr std::string_view kThree = "      ";

std::string xml_begin(const Bordereau& b) {
  const BordereauTotals& totals = b.totals;
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<bordereau xmlns=\"" +
                    std::string(kNamespace) + "\">\n  <head>\n";
  out += element(kTwo, "reference", b.reference);
  out += element(kTwo, "operation", b.operation);
  out += elements(kTwo, "title", b.title);
  out += elements(kTwo, "content", b.description);
  out += element(kTwo, "agreement", b.agreement);
  out += element(kTwo, "transferringAgency", organisation(b.transferring_agency),
                 {{"id", b.transferring_agency.id}});
  out += element(kTwo, "archivalAgency", organisation(b.archival_agency),
                 {{"id", b.archival_agency.id}});
  out += element(kTwo, "sealedAt", b.sealed_at.text_seconds());
  out += element(kTwo, "firstDate", totals.first_date);
  out += element(kTwo, "lastDate", totals.last_date);
  out += element(kTwo, "items", std::to_string(totals.items));
  out += element(kTwo, "analogueItems", std::to_string(totals.analogue));
  out += element(kTwo, "files", std::to_string(totals.files));
  out += element(kTwo, "bytes", std::to_string(totals.bytes));
  out += element(kTwo, "manifestSha512", b.manifest_sha512);
  return out + "  </head>\n";
}

std::string xml_row(const BordereauRow& row) {
  const Description& d = row.description;
  std::string out = std::string(kOne) + "<item id=\"" + xml_escaped(row.slug) + "\" version=\"" +
                    std::to_string(row.version) + "\" kind=\"" + std::string(kind_of(row)) +
                    "\">\n";
  for (const Identifier& each : d.identifiers)
    out += element(kTwo, "identifier", each.value, {{"type", each.type}});
  out += elements(kTwo, "title", d.title);
  out += element(kTwo, "date", d.date);
  out += element(kTwo, "type", d.type);
  out += element(kTwo, "genre", d.genre);
  for (const std::string& language : d.languages)
    out += element(kTwo, "language", language);
  if (!row.original.empty()) {
    out += std::string(kTwo) + "<original>\n";
    out += element(kThree, "shelfmark", row.original.shelfmark);
    out += element(kThree, "box", row.original.box);
    out += element(kThree, "extent", row.original.extent);
    out += std::string(kTwo) + "</original>\n";
  }
  out += element(kTwo, "files", std::to_string(row.files));
  out += element(kTwo, "bytes", std::to_string(row.bytes));
  out += elements(kTwo, "credit", d.rights.credit_line);
  out += elements(kTwo, "owner", d.rights.owner);
  out += elements(kTwo, "conditions", d.rights.conditions);
  out += element(kTwo, "reproduction", d.rights.reproduction);
  return out + std::string(kOne) + "</item>\n";
}

std::string nothing() {
  return {};
}

constexpr std::array<BordereauForm, 4> kForms{{
    {"bordereau.csv", "text/csv", csv_begin, csv_row, nothing},
    {"bordereau.en.html", "text/html",
     [](const Bordereau& bordereau) { return html_begin(bordereau, kEnglish); },
     [](const BordereauRow& row) { return html_row(row, kEnglish); },
     [] { return html_end(kEnglish); }},
    {"bordereau.fr.html", "text/html",
     [](const Bordereau& bordereau) { return html_begin(bordereau, kFrench); },
     [](const BordereauRow& row) { return html_row(row, kFrench); },
     [] { return html_end(kFrench); }},
    {"bordereau.xml", "application/xml", xml_begin, xml_row,
     [] { return std::string("</bordereau>\n"); }},
}};

}  // namespace

void BordereauTotals::add(const BordereauRow& row) {
  ++items;
  if (row.files == 0) ++analogue;
  files += row.files;
  bytes += row.bytes;
  const std::string_view date = row.description.date;
  const std::string_view first = date.substr(0, date.find('/'));
  const std::string_view last = date.substr(date.find('/') + 1);  // all of it without a slash
  if (!is_iso_date(first) || !is_iso_date(last)) return;
  if (first_date.empty() || first < first_date) first_date = first;
  if (last_date.empty() || last > last_date) last_date = last;
}

std::span<const BordereauForm> bordereau_forms() {
  return kForms;
}

}  // namespace versement::mets
