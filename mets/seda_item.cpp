#include "mets/seda_item.hpp"

#include <algorithm>

#include "mets/xml.hpp"
#include "store/base/ids.hpp"
#include "store/base/text.hpp"
#include "store/base/time.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kPart = "hasPart: ";

bool are_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A year, a month or a day that there is.
bool is_date(std::string_view text) {
  std::string whole(text);
  if (text.size() == 4) whole += "-01-01";
  if (text.size() == 7) whole += "-01";
  if (whole.size() != 10 || !are_digits(text.substr(0, 4)) || text.starts_with("0000"))
    return false;
  return Timestamp::parse(whole + "T00:00:00Z").operator bool();
}

// Whether a span begins before it ends, of dates as long as they may be.
bool is_span(std::string_view start, std::string_view end) {
  const std::size_t common = std::min(start.size(), end.size());
  return start.substr(0, common) <= end.substr(0, common);
}

std::string text_of(const XmlElement& element) {
  return std::string(trim(element.text(), " \t\r\n"));
}

void add(std::vector<std::string>& to, const std::string& text) {
  if (!text.empty()) to.push_back(text);
}

void add(Texts& to, const XmlElement& element, const std::string& text) {
  if (!text.empty()) to.emplace_back(element.attribute("xml:lang"), text);
}

void read_element(const XmlElement& element, SedaItem& item) {
  std::string_view name = element.name();
  if (!name.starts_with("dc:")) return;
  name.remove_prefix(3);
  const std::string text = text_of(element);
  if (name == "title") add(item.titles, element, text);
  if (name == "description") add(item.descriptions, element, text);
  if (name == "rights") add(item.rights, element, text);
  if (name == "publisher") add(item.owners, element, text);
  if (name == "source") add(item.sources, element, text);
  if (name == "subject") add(item.subjects, element, text);
  if (name == "coverage") add(item.places, element, text);
  if (name == "creator") add(item.creators, text);
  if (name == "format") add(item.formats, text);
  if (name == "language") add(item.languages, text);
  if (name == "date") add(item.dates, text);
  // The type comes as a DCMI term without a language and in the words of the collection with one.
  if (name == "type" && element.attribute("xml:lang").empty()) add(item.types, text);
  if (name == "type" && !element.attribute("xml:lang").empty()) add(item.genres, element, text);
  if (name == "relation") {
    const bool part = text.starts_with(kPart) && Slug::parse(text.substr(kPart.size()));
    add(part ? item.parts : item.relations, part ? text.substr(kPart.size()) : text);
  }
}

// The text of the first child of this name.
std::string child_text(const XmlElement& element, std::string_view name) {
  std::string text;
  element.for_each_child([&](const XmlElement& child) {
    if (text.empty() && child.name() == name) text = text_of(child);
  });
  return text;
}

void each_child(const XmlElement& element,
                std::string_view name,
                const std::function<void(const XmlElement&)>& each) {
  element.for_each_child([&](const XmlElement& child) {
    if (child.name() == name) each(child);
  });
}

void read_entity(const XmlElement& object, SedaItem& item) {
  each_child(object, "premis:objectIdentifier", [&](const XmlElement& identifier) {
    Identifier read{.type = child_text(identifier, "premis:objectIdentifierType"),
                    .value = child_text(identifier, "premis:objectIdentifierValue")};
    // The URI is one that this program made of the slug.
    if (read.type == "URI" || read.value.empty() || read.value == item.slug) return;
    item.identifiers.push_back(std::move(read));
  });
}

void read_event(const XmlElement& event, SedaItem& item) {
  SedaEvent read;
  each_child(event, "premis:eventIdentifier", [&](const XmlElement& identifier) {
    read.identifier = child_text(identifier, "premis:eventIdentifierValue");
  });
  read.type = child_text(event, "premis:eventType");
  read.time = child_text(event, "premis:eventDateTime");
  each_child(event, "premis:eventDetailInformation", [&](const XmlElement& information) {
    read.detail = child_text(information, "premis:eventDetail");
  });
  each_child(event, "premis:eventOutcomeInformation", [&](const XmlElement& information) {
    read.outcome = child_text(information, "premis:eventOutcome");
  });
  if (Timestamp::parse(read.time)) item.events.push_back(std::move(read));
}

Result<XmlDocument> parse_own(std::string_view bytes,
                              std::string_view root,
                              const std::string& what) {
  auto document = XmlDocument::parse(bytes);
  if (!document) {
    return Error(Code::corrupt, what + ": " + document.error().what()).as("content-corrupt");
  }
  if (document->root().name() == root) return document;
  return Error(Code::corrupt, what + " is no <" + std::string(root) + ">").as("content-corrupt");
}

}  // namespace

SedaDates seda_dates_of(std::string_view date) {
  SedaDates dates;
  if (is_date(date)) {
    dates.created = date;
    return dates;
  }
  std::size_t at = date.find('/');
  // Two years with a hyphen: a month has two digits only.
  if (at == std::string_view::npos && date.size() == 9) at = date.find('-');
  if (at != std::string_view::npos) {
    const std::string_view start = date.substr(0, at);
    const std::string_view end = date.substr(at + 1);
    if (is_date(start) && is_date(end) && is_span(start, end)) {
      dates.start = start;
      dates.end = end;
      return dates;
    }
  }
  dates.literal = date;
  return dates;
}

Result<SedaItem> read_seda_item(std::string_view slug,
                                std::uint32_t version,
                                std::string_view dc,
                                std::string_view premis) {
  SedaItem item;
  item.slug = slug;
  item.version = version;
  {
    TRY_SET(const XmlDocument document,
            parse_own(dc, "oai_dc:dc", "the Dublin Core of item '" + item.slug + "'"));
    document.root().for_each_child([&](const XmlElement& child) { read_element(child, item); });
  }
  TRY_SET(const XmlDocument document,
          parse_own(premis, "premis:premis", "the PREMIS of item '" + item.slug + "'"));
  document.root().for_each_child([&](const XmlElement& child) {
    if (child.name() == "premis:object") read_entity(child, item);
    if (child.name() == "premis:event") read_event(child, item);
  });
  return item;
}

}  // namespace versement::mets
