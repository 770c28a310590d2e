#include "mets/bordereau.hpp"

#include <array>

#include "mets/xml.hpp"
#include "store/base/csv.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

struct Words {
  std::string_view language, title, transferring, archival, number, subject, agreement, sealed,
      content, digest, items, files, volume, identifier, item_title, date, original, credit, owner,
      conditions, signature_from, signature_to, place_date, none;
};

constexpr Words kFrench{"fr",
                        "Bordereau de versement",
                        "Service versant",
                        "Service d'archives",
                        "Numéro du versement",
                        "Intitulé",
                        "Convention",
                        "Scellé le",
                        "Présentation du contenu",
                        "Empreinte SHA-512 du manifeste",
                        "Nombre d'éléments",
                        "Nombre de fichiers",
                        "Volume",
                        "Identifiant",
                        "Titre",
                        "Date",
                        "Original analogique",
                        "Mention obligatoire",
                        "Propriétaire",
                        "Conditions de réutilisation",
                        "Pour le service versant",
                        "Pour le service d'archives",
                        "Lieu, date, nom et signature",
                        "sans fichier"};

constexpr Words kEnglish{"en",
                         "Transfer list (bordereau de versement)",
                         "Transferring agency",
                         "Archival agency",
                         "Transfer number",
                         "Title",
                         "Agreement",
                         "Sealed on",
                         "Content",
                         "SHA-512 of the manifest",
                         "Items",
                         "Files",
                         "Volume",
                         "Identifier",
                         "Title",
                         "Date",
                         "Analogue original",
                         "Mandatory credit",
                         "Owner",
                         "Conditions of reuse",
                         "For the transferring agency",
                         "For the archival agency",
                         "Place, date, name and signature",
                         "no file"};

constexpr std::string_view kStyle =
    "body{font:11pt/1.4 'Noto Sans','Noto Sans Khmer',sans-serif;margin:2em;max-width:70em}"
    "h1{font-size:18pt}table{border-collapse:collapse;width:100%;margin:1em 0}"
    "th,td{border:1px solid #777;padding:.3em .5em;text-align:left;vertical-align:top}"
    "thead{display:table-header-group}tr{break-inside:avoid}.facts th{width:16em}"
    ".digest{font:8pt monospace;word-break:break-all}.number{text-align:right}"
    ".signatures td{height:7em;width:50%}@page{size:A4 landscape;margin:15mm}";

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

std::string fact(std::string_view label, const std::string& html) {
  return "<tr><th>" + xml_escaped(label) + "</th><td>" + html + "</td></tr>\n";
}

std::string organisation(const Organisation& agency) {
  return xml_escaped(agency.name.empty() ? agency.id : agency.name);
}

std::string item_row(const BordereauRow& row, const Words& words) {
  const Rights& rights = row.description.rights;
  const auto cell = [](const std::string& html, std::string_view kind = "") {
    return kind.empty() ? "<td>" + html + "</td>"
                        : "<td class=\"" + std::string(kind) + "\">" + html + "</td>";
  };
  return "<tr>" + cell(xml_escaped(row.slug)) + cell(spans(row.description.title, words.language)) +
         cell(xml_escaped(row.description.date)) + cell(xml_escaped(original_of_row(row))) +
         cell(row.files == 0 ? std::string(words.none) : std::to_string(row.files), "number") +
         cell(row.files == 0 ? "" : xml_escaped(human_bytes(row.bytes)), "number") +
         cell(spans(rights.credit_line, words.language)) +
         cell(spans(rights.owner, words.language)) +
         cell(spans(rights.conditions, words.language)) + "</tr>\n";
}

}  // namespace

std::string render_bordereau_html(const Bordereau& b, std::string_view language) {
  const Words& words = language == "en" ? kEnglish : kFrench;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (const BordereauRow& row : b.rows) {
    files += row.files;
    bytes += row.bytes;
  }
  std::string out = "<!DOCTYPE html>\n<html lang=\"" + std::string(words.language) +
                    "\">\n<head><meta charset=\"utf-8\"><title>" + std::string(words.title) + " " +
                    xml_escaped(b.reference) + "</title>\n<style>" + std::string(kStyle) +
                    "</style></head>\n<body>\n<h1>" + std::string(words.title) + "</h1>\n";
  out += "<table class=\"facts\">\n";
  out += fact(words.transferring, organisation(b.transferring_agency));
  out += fact(words.archival, organisation(b.archival_agency));
  out += fact(words.number, xml_escaped(b.reference));
  out += fact(words.subject, spans(b.title, words.language));
  if (!b.description.empty()) out += fact(words.content, spans(b.description, words.language));
  out += fact(words.agreement, xml_escaped(b.agreement));
  out += fact(words.sealed, b.sealed_at.text_seconds());
  out += fact(words.items, std::to_string(b.rows.size()));
  out += fact(words.files, std::to_string(files));
  out += fact(words.volume, xml_escaped(human_bytes(bytes)) + " (" + std::to_string(bytes) + ")");
  out += fact(words.digest, "<span class=\"digest\">" + b.manifest_sha512 + "</span>");
  out += "</table>\n<table>\n<thead><tr>";
  for (const std::string_view heading :
       {words.identifier, words.item_title, words.date, words.original, words.files, words.volume,
        words.credit, words.owner, words.conditions}) {
    out += "<th>" + xml_escaped(heading) + "</th>";
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const BordereauRow& row : b.rows)
    out += item_row(row, words);
  out += "</tbody>\n</table>\n<table class=\"signatures\"><tr><td>" +
         xml_escaped(words.signature_from) + "<br><small>" + xml_escaped(words.place_date) +
         "</small></td><td>" + xml_escaped(words.signature_to) + "<br><small>" +
         xml_escaped(words.place_date) + "</small></td></tr></table>\n</body>\n</html>\n";
  return out;
}

std::string render_bordereau_csv(const Bordereau& b) {
  const std::array<std::string, 15> header{
      "identifier", "version", "title", "title@en", "title@km", "date",  "type",      "shelfmark",
      "box",        "extent",  "files", "bytes",    "credit",   "owner", "conditions"};
  std::string out = csv::write_row(header);
  for (const BordereauRow& row : b.rows) {
    const auto in = [&](const char* language) {
      const auto found = row.description.title.find(language);
      return found == row.description.title.end() ? std::string() : found->second;
    };
    const Rights& rights = row.description.rights;
    const std::array<std::string, 15> cells{row.slug,
                                            std::to_string(row.version),
                                            in("fr"),
                                            in("en"),
                                            in("km"),
                                            row.description.date,
                                            row.description.type,
                                            row.original.shelfmark,
                                            row.original.box,
                                            row.original.extent,
                                            std::to_string(row.files),
                                            std::to_string(row.bytes),
                                            any_of(rights.credit_line),
                                            any_of(rights.owner),
                                            any_of(rights.conditions)};
    out += csv::write_row(cells);
  }
  return out;
}

}  // namespace versement::mets
