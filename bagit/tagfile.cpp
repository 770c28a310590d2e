#include "bagit/tagfile.hpp"

#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

Error wrong(std::string_view code, std::size_t line, const std::string& what) {
  return Error(Code::invalid, "line " + std::to_string(line) + ": " + what).as(code);
}

constexpr std::string_view kVersionLabel = "BagIt-Version: ";
constexpr std::string_view kEncodingLabel = "Tag-File-Character-Encoding: ";

Error bad_declaration(const std::string& what) {
  return Error(Code::invalid, "bagit.txt: " + what).as("bagit.format");
}

}  // namespace

std::string encode_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    switch (c) {
      case '\n':
        out += "%0A";
        break;
      case '\r':
        out += "%0D";
        break;
      case '%':
        out += "%25";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string decode_path(std::string_view text, bool* strange) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const std::string code = lower_ascii(text.substr(i + 1, 2));
    if (code == "0a" || code == "0d" || code == "25") {
      out += code == "0a" ? '\n' : code == "0d" ? '\r' : '%';
      i += 2;
    } else {
      out += '%';
      *strange = true;
    }
  }
  return out;
}

std::string write_bagit_txt() {
  return "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
}

Result<void> for_each_line(std::string_view bytes,
                           const std::function<Result<void>(std::size_t, std::string_view)>& each) {
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\r\n");
    TRY(each(++number, bytes.substr(0, end)));
    if (end == std::string_view::npos) return {};
    const bool pair = bytes[end] == '\r' && end + 1 < bytes.size() && bytes[end + 1] == '\n';
    bytes.remove_prefix(end + (pair ? 2 : 1));
  }
  return {};
}

Result<Declaration> parse_bagit_txt(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    return Error(Code::invalid, "bagit.txt begins with a byte order mark").as("bagit.bom");
  }
  std::vector<std::string> lines;
  TRY(for_each_line(bytes, [&](std::size_t, std::string_view line) -> Result<void> {
    if (lines.size() > 2) return bad_declaration("more than two lines");
    lines.emplace_back(line);
    return {};
  }));
  if (lines.size() != 2) return bad_declaration("it must have exactly two lines");
  if (!lines[0].starts_with(kVersionLabel))
    return bad_declaration("line 1 must be 'BagIt-Version: M.N'");
  if (!lines[1].starts_with(kEncodingLabel)) {
    return bad_declaration("line 2 must be 'Tag-File-Character-Encoding: NAME'");
  }
  const std::string_view version = std::string_view(lines[0]).substr(kVersionLabel.size());
  const std::size_t dot = version.find('.');
  const auto major = parse_decimal(version.substr(0, dot));
  const auto minor =
      dot == std::string_view::npos ? std::nullopt : parse_decimal(version.substr(dot + 1));
  if (!major || !minor || *major > 99 || *minor > 99) {
    return bad_declaration("'" + printable(version) + "' is no version");
  }
  Declaration declaration;
  declaration.major = static_cast<unsigned>(*major);
  declaration.minor = static_cast<unsigned>(*minor);
  declaration.encoding = lines[1].substr(kEncodingLabel.size());
  const bool known = version == "1.0" || (*major == 0 && *minor >= 93 && *minor <= 97);
  if (!known) {
    return Error(Code::unsupported, "bagit.txt: version " + printable(version) + " is not known")
        .as("bagit.version");
  }
  if (declaration.encoding.empty() || declaration.encoding != trim(declaration.encoding)) {
    return bad_declaration("the encoding is missing or has blanks round it");
  }
  return declaration;
}

// A line break inside a value would begin a new label: it becomes a blank. So do other control
// characters and what Unicode takes for the end of a line, at which some readers break lines.
std::string one_line(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const auto first = static_cast<unsigned char>(value.front());
    std::size_t length = first < 0x20 || first == 0x7F ? 1 : 0;
    for (const std::string_view end : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
      if (value.starts_with(end)) length = end.size();
    }
    out += length > 0 ? ' ' : value.front();
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string write_bag_info(const BagInfo& info) {
  std::string out;
  for (const auto& [label, value] : info) {
    std::string line = label + ": ";
    line += one_line(value);
    out += line + "\n";
  }
  return out;
}

Result<BagInfo> parse_bag_info(std::string_view bytes) {
  BagInfo info;
  TRY(for_each_line(bytes, [&](std::size_t number, std::string_view line) -> Result<void> {
    if (trim(line).empty()) return {};
    if (line.front() == ' ' || line.front() == '\t') {
      if (info.empty()) return wrong("baginfo.syntax", number, "a continuation of nothing");
      info.back().second += "\n" + std::string(trim(line));
      return {};
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return wrong("baginfo.syntax", number, "no 'Label: value'");
    }
    info.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    return {};
  }));
  return info;
}

void append_manifest_line(const Digest& digest, std::string_view path, std::string* out) {
  *out += digest.hex();
  *out += "  ";
  *out += encode_path(path);
  *out += '\n';
}

Result<void> parse_manifest(std::string_view bytes,
                            const std::function<Result<void>(ManifestLine&&)>& each) {
  return for_each_line(bytes, [&](std::size_t number, std::string_view line) -> Result<void> {
    if (trim(line).empty()) return {};
    const std::size_t blank = line.find_first_of(" \t");
    const std::size_t path = line.find_first_not_of(" \t", blank);
    if (blank == 0 || blank == std::string_view::npos || path == std::string_view::npos) {
      return wrong("manifest.syntax", number, "no checksum, blanks and path");
    }
    ManifestLine out;
    out.line = number;
    out.checksum = line.substr(0, blank);
    std::string_view rest = line.substr(path);
    if (rest.starts_with('*')) {
      out.asterisk = true;
      rest.remove_prefix(1);
    }
    while (rest.starts_with("./"))
      rest.remove_prefix(2);
    if (rest.empty()) return wrong("manifest.syntax", number, "no path behind the checksum");
    out.path = decode_path(rest, &out.strange_percent);
    return each(std::move(out));
  });
}

std::optional<Oxum> parse_oxum(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto octets = parse_decimal(text.substr(0, dot));
  const auto streams = parse_decimal(text.substr(dot + 1));
  if (!octets || !streams) return std::nullopt;
  return Oxum{*octets, *streams};
}

}  // namespace versement::bagit
