#include "bagit/tagfile.hpp"

#include <algorithm>
#include <array>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

Error wrong(std::string_view code, std::size_t line, const std::string& what) {
  return Error(Code::invalid, "line " + std::to_string(line) + ": " + what).as(code);
}

constexpr std::string_view kVersionLabel = "BagIt-Version: ";
constexpr std::string_view kEncodingLabel = "Tag-File-Character-Encoding: ";

constexpr auto kManifestAlgorithms = std::to_array<Algorithm>(
    {Algorithm::sha512, Algorithm::sha256, Algorithm::sha1, Algorithm::md5, Algorithm::sha384,
     Algorithm::sha224, Algorithm::sha3_224, Algorithm::sha3_256, Algorithm::sha3_384,
     Algorithm::sha3_512, Algorithm::blake2b_512, Algorithm::blake2s_256});

Error bad_declaration(const std::string& what) {
  return Error(Code::invalid, what).as("bagit.format");
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

std::string decode_old_path(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string code = text[i] == '%' ? lower_ascii(text.substr(i + 1, 2)) : std::string();
    const bool coded = code == "0a" || code == "0d";
    out += !coded ? text[i] : code == "0a" ? '\n' : '\r';
    if (coded) i += 2;
  }
  return out;
}

// ---------------------------------------------------------------------------- lines

void LineSplitter::keep(std::string_view part) {
  begun_ = begun_ || !part.empty();
  const std::size_t room = limits::kTagLineBytesMax - line_.size();
  if (part.size() > room && too_long_ == 0) too_long_ = number_ + 1;
  line_ += part.substr(0, room);
}

void LineSplitter::end(const Each& each) {
  each(++number_, line_);
  line_.clear();
  begun_ = false;
}

void LineSplitter::feed(std::string_view text, const Each& each) {
  constexpr auto kNone = std::string_view::npos;
  // Not find_first_of(), which asks for each byte anew; nor the next LF for each CR.
  std::size_t line_feed = text.find('\n');
  std::size_t at = 0;
  while (at < text.size()) {
    if (after_cr_ && text[at] == '\n') ++at;
    after_cr_ = false;
    if (line_feed != kNone && line_feed < at) line_feed = text.find('\n', at);
    const std::size_t stop = std::min(line_feed, text.substr(0, line_feed).find('\r', at));
    if (stop == kNone) return keep(text.substr(at));
    after_cr_ = text[stop] == '\r';
    const std::string_view whole = text.substr(at, stop - at);
    if (begun_) {
      keep(whole);
      end(each);
    } else {  // Nearly always: a whole line, which need not be copied.
      if (whole.size() > limits::kTagLineBytesMax && too_long_ == 0) too_long_ = number_ + 1;
      each(++number_, whole.substr(0, limits::kTagLineBytesMax));
    }
    at = stop + 1;
  }
}

void LineSplitter::finish(const Each& each) {
  if (begun_) end(each);
}

Result<void> for_each_line(std::string_view bytes,
                           const std::function<Result<void>(std::size_t, std::string_view)>& each) {
  Result<void> done;
  LineSplitter splitter;
  const auto one = [&](std::size_t number, std::string_view line) {
    if (done) done = each(number, line);
  };
  splitter.feed(bytes, one);
  splitter.finish(one);
  if (done && splitter.too_long() > 0) {
    return wrong("tagfile.size", splitter.too_long(), "is longer than 1 MiB");
  }
  return done;
}

// ---------------------------------------------------------------------------- bagit.txt

Result<Declaration> parse_bagit_txt(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    return Error(Code::invalid, "begins with a byte order mark").as("bagit.bom");
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
    return Error(Code::unsupported, "version " + printable(version) + " is not known")
        .as("bagit.version");
  }
  if (declaration.encoding.empty() || declaration.encoding != trim(declaration.encoding)) {
    return bad_declaration("the encoding is missing or has blanks round it");
  }
  return declaration;
}

Declaration guess_declaration(std::string_view bytes) {
  Declaration guess{1, 0, "UTF-8"};
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  LineSplitter splitter;
  const auto one = [&](std::size_t, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string label = lower_ascii(trim(line.substr(0, colon)));
    const std::string_view value = trim(line.substr(colon + 1));
    const auto minor = parse_decimal(value.substr(std::min<std::size_t>(value.size(), 2)));
    if (label == "bagit-version" && value.starts_with("0.") && minor && *minor < 100) {
      guess.major = 0;
      guess.minor = static_cast<unsigned>(*minor);
    }
    if (label == "tag-file-character-encoding" && !value.empty()) guess.encoding = value;
  };
  splitter.feed(bytes, one);
  splitter.finish(one);
  return guess;
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

void BagInfoReader::line(std::size_t number, std::string_view line) {
  if (trim(line).empty()) return say_("tagfile.blank-line", number, "");
  if (line.front() == ' ' || line.front() == '\t') {
    if (info_.empty()) return say_("baginfo.syntax", number, "continues nothing");
    info_.back().second += "\n" + std::string(trim(line));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || trim(line.substr(0, colon)).empty()) {
    return say_("baginfo.syntax", number, "has no 'Label: value'");
  }
  if (info_.size() == limits::kBagInfoLabelsMax) {
    if (!full_) say_("tagfile.size", number, "has more labels than are read");
    full_ = true;
    return;
  }
  const std::string_view label = line.substr(0, colon);
  const std::string_view rest = line.substr(colon + 1);
  if (!old_ && label != trim(label)) {
    say_("baginfo.label-whitespace", number, "a blank stands before the colon");
  }
  const bool one_blank = !rest.empty() && (rest[0] == ' ' || rest[0] == '\t') &&
                         (rest.size() == 1 || (rest[1] != ' ' && rest[1] != '\t'));
  if (!old_ && !one_blank) {
    say_("baginfo.separator", number, "the colon must be followed by one blank or tab");
  }
  info_.emplace_back(trim(label), trim(rest));
  lines_.push_back(number);
}

Result<BagInfo> parse_bag_info(std::string_view bytes) {
  Result<void> done;
  BagInfoReader reader(true,
                       [&](std::string_view code, std::size_t number, const std::string& detail) {
                         if (done && code == "baginfo.syntax") done = wrong(code, number, detail);
                       });
  TRY(for_each_line(bytes, [&](std::size_t number, std::string_view line) -> Result<void> {
    reader.line(number, line);
    return done;
  }));
  return reader.info();
}

// ---------------------------------------------------------------------------- manifests

void append_manifest_line(const Digest& digest, std::string_view path, std::string* out) {
  *out += digest.hex();
  *out += "  ";
  const auto coded = [](char c) { return c == '\n' || c == '\r' || c == '%'; };
  if (std::none_of(path.begin(), path.end(), coded)) {
    *out += path;
  } else {
    *out += encode_path(path);
  }
  *out += '\n';
}

std::optional<ManifestLine> parse_manifest_line(std::string_view line) {
  ManifestLine out;
  if (line.starts_with('\\')) {
    out.escaped = true;
    line.remove_prefix(1);
  }
  // Byte by byte: find_first_of asks memchr at each of the 128 digits.
  std::size_t blank = 0;
  while (blank < line.size() && line[blank] != ' ' && line[blank] != '\t')
    ++blank;
  const std::size_t path = line.find_first_not_of(" \t", blank);
  if (blank == 0 || path == std::string_view::npos) {
    return std::nullopt;
  }
  out.checksum = line.substr(0, blank);
  out.path = line.substr(path);
  if (out.path.starts_with('*')) {
    out.asterisk = true;
    out.path.remove_prefix(1);
  }
  while (out.path.starts_with("./")) {
    out.dot_slash = true;
    out.path.remove_prefix(2);
  }
  if (out.path.empty()) return std::nullopt;
  return out;
}

Result<void> parse_manifest(
    std::string_view bytes,
    const std::function<Result<void>(std::string_view checksum, std::string path)>& each) {
  return for_each_line(bytes, [&](std::size_t number, std::string_view line) -> Result<void> {
    if (trim(line).empty()) return {};
    const auto parsed = parse_manifest_line(line);
    if (!parsed) return wrong("manifest.syntax", number, "no checksum, blanks and path");
    bool strange = false;
    return each(parsed->checksum, decode_path(parsed->path, &strange));
  });
}

std::optional<Algorithm> algorithm_of_manifest(std::string_view name) {
  for (const Algorithm each : kManifestAlgorithms) {
    if (manifest_algorithm_name(each) == name) return each;
  }
  return std::nullopt;
}

std::string manifest_algorithm_name(Algorithm algorithm) {
  std::string name(algorithm_name(algorithm));
  std::erase(name, '-');
  return name;
}

std::optional<ManifestName> parse_manifest_name(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::nullopt;  // Of most files it is known.
  const std::string lower = lower_ascii(name);
  std::string_view rest = lower;
  ManifestName out;
  if (rest.starts_with("tag")) {
    out.tag = true;
    rest.remove_prefix(3);
  }
  constexpr std::string_view kBegin = "manifest-";
  constexpr std::string_view kEnd = ".txt";
  if (!rest.starts_with(kBegin) || !rest.ends_with(kEnd) ||
      rest.size() <= kBegin.size() + kEnd.size()) {
    return std::nullopt;
  }
  rest = rest.substr(kBegin.size(), rest.size() - kBegin.size() - kEnd.size());
  out.proper = lower == name && std::all_of(rest.begin(), rest.end(), [](char c) {
                 return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
               });
  out.algorithm = rest;
  std::erase(out.algorithm, '-');
  return out;
}

// ---------------------------------------------------------------------------- fetch.txt

std::optional<FetchLine> parse_fetch_line(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";
  FetchLine out;
  const std::size_t url = line.find_first_of(kBlanks);
  const std::size_t length = line.find_first_not_of(kBlanks, url);
  if (url == 0 || length == std::string_view::npos) return std::nullopt;
  const std::size_t length_end = line.find_first_of(kBlanks, length);
  const std::size_t path = line.find_first_not_of(kBlanks, length_end);
  if (path == std::string_view::npos) return std::nullopt;
  out.url = line.substr(0, url);
  out.path = line.substr(path);
  const std::string_view number = line.substr(length, length_end - length);
  if (number == "-") return out;
  out.length = parse_decimal(number);
  if (!out.length) return std::nullopt;
  return out;
}

bool is_absolute_uri(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == url.size()) return false;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!is_letter(url.front())) return false;
  const std::string_view scheme = url.substr(0, colon);
  const bool scheme_fits = std::all_of(scheme.begin(), scheme.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
  return scheme_fits && std::all_of(url.begin(), url.end(), [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '<' && c != '>' &&
                  c != '"';
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
