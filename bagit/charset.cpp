#include "bagit/charset.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <iconv.h>

#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// Names and aliases of IANA's registry that occur in text files, in lower case. iconv takes more,
// "utf8//ignore" among them, which would pass over bytes that are wrong.
constexpr auto kNames = std::to_array<std::string_view>({
    "adobe-standard-encoding",
    "adobe-symbol-encoding",
    "amiga-1251",
    "ascii",
    "big5",
    "big5-hkscs",
    "bocu-1",
    "brf",
    "cesu-8",
    "csascii",
    "csiso2022jp",
    "csisolatin1",
    "csisolatin2",
    "cskoi8r",
    "csshiftjis",
    "csunicode",
    "csutf16",
    "csutf8",
    "dec-mcs",
    "ebcdic-at-de",
    "ebcdic-us",
    "ecma-114",
    "ecma-118",
    "elot_928",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "gb2312",
    "gb_1988-80",
    "gb_2312-80",
    "gbk",
    "hp-roman8",
    "hz-gb-2312",
    "iso-10646-j-1",
    "iso-10646-ucs-2",
    "iso-10646-ucs-4",
    "iso-10646-ucs-basic",
    "iso-10646-utf-1",
    "iso-2022-cn",
    "iso-2022-cn-ext",
    "iso-2022-jp",
    "iso-2022-jp-1",
    "iso-2022-jp-2",
    "iso-2022-kr",
    "iso-ir-100",
    "iso-ir-101",
    "iso-ir-144",
    "iso-ir-148",
    "iso-ir-6",
    "iso646-us",
    "jis_encoding",
    "jis_x0201",
    "jis_x0208-1983",
    "koi7-switched",
    "koi8-e",
    "koi8-r",
    "koi8-u",
    "kz-1048",
    "l1",
    "l2",
    "l3",
    "l4",
    "l5",
    "l6",
    "l8",
    "latin-9",
    "latin1",
    "latin10",
    "latin2",
    "latin3",
    "latin4",
    "latin5",
    "latin6",
    "latin8",
    "mac",
    "macintosh",
    "mnem",
    "mnemonic",
    "ms_kanji",
    "osd_ebcdic_df04_1",
    "ptcp154",
    "scsu",
    "shift_jis",
    "tis-620",
    "tscii",
    "unicode-1-1",
    "unicode-1-1-utf-7",
    "unknown-8bit",
    "us",
    "us-ascii",
    "utf-16",
    "utf-16be",
    "utf-16le",
    "utf-32",
    "utf-32be",
    "utf-32le",
    "utf-7",
    "utf-7-imap",
    "utf-8",
    "ventura-international",
    "viqr",
    "viscii",
    "windows-31j",
    "windows-874",
    "windows-936",
});

// Families: a beginning, and one to five digits.
constexpr auto kFamilies =
    std::to_array<std::string_view>({"iso-8859-", "iso_8859-", "windows-125", "ibm", "cp", "ibm-"});

bool is_iana(const std::string& name) {
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  return std::any_of(kFamilies.begin(), kFamilies.end(), [&](std::string_view family) {
    if (!name.starts_with(family)) return false;
    const std::string_view rest = std::string_view(name).substr(family.size());
    return rest.size() <= 5 && parse_decimal(rest).has_value();
  });
}

}  // namespace

void Decoder::Close::operator()(void* converter) const {
  ::iconv_close(converter);
}

Result<Decoder> Decoder::make(std::string_view name) {
  Decoder decoder;
  decoder.name_ = lower_ascii(name);
  if (!is_iana(decoder.name_)) {
    return Error(Code::invalid,
                 "'" + printable(name) + "' is no character set of IANA's registry that is known");
  }
  if (decoder.name_ == "utf-8" || decoder.name_ == "csutf8") return decoder;
  decoder.wide_ = decoder.name_ == "utf-16" || decoder.name_ == "utf-32";
  TRY(decoder.open(decoder.wide_ ? decoder.name_ + "be" : decoder.name_));
  if (decoder.wide_) decoder.converter_.reset();
  return decoder;
}

Result<void> Decoder::open(const std::string& name) {
  const iconv_t opened = ::iconv_open("UTF-8", name.c_str());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): it is how iconv says no.
  if (opened == reinterpret_cast<iconv_t>(-1)) {
    return Error(Code::unsupported, "this system cannot read the character set " + printable(name));
  }
  converter_.reset(opened);
  return {};
}

Error Decoder::bad(std::size_t offset) const {
  return {Code::invalid,
          "byte " + std::to_string(offset) + " is no part of a character of " + name_};
}

Result<void> Decoder::decode(std::span<const std::byte> bytes, std::string* text) {
  waiting_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (wide_ && !converter_) {
    // UTF-16 has two bytes for its mark, UTF-32 four.
    const std::size_t mark = name_ == "utf-16" ? 2 : 4;
    if (waiting_.size() < mark) return {};
    const std::string_view first = std::string_view(waiting_).substr(0, mark);
    const bool little = first == "\xFF\xFE" || first == std::string_view("\xFF\xFE\0\0", 4);
    const bool big = first == "\xFE\xFF" || first == std::string_view("\0\0\xFE\xFF", 4);
    TRY(open(name_ + (little ? "le" : "be")));
    if (little || big) {
      waiting_.erase(0, mark);
      offset_ = mark;
    }
  }
  return convert(text);
}

Result<void> Decoder::convert(std::string* text) {
  if (converter_ == nullptr) {
    // A character of UTF-8 that ends early is told from a wrong one by what comes behind it.
    const auto wrong = first_invalid_utf8(waiting_);
    const std::size_t good = wrong.value_or(waiting_.size());
    text->append(waiting_, 0, good);
    waiting_.erase(0, good);
    offset_ += good;
    if (waiting_.size() >= 4) return bad(offset_);
    return {};
  }
  std::array<char, 16 * 1024> out{};
  char* from = waiting_.data();
  std::size_t left = waiting_.size();
  while (left > 0) {
    char* to = out.data();
    std::size_t room = out.size();
    const std::size_t done = ::iconv(converter_.get(), &from, &left, &to, &room);
    const int why = errno;
    text->append(out.data(), out.size() - room);
    if (done != static_cast<std::size_t>(-1) || why == E2BIG) continue;
    if (why == EINVAL) break;  // The rest of a character is still to come.
    return bad(offset_ + waiting_.size() - left);
  }
  offset_ += waiting_.size() - left;
  waiting_.erase(0, waiting_.size() - left);
  if (waiting_.size() >= 16) return bad(offset_);
  return {};
}

Result<void> Decoder::finish() {
  if (waiting_.empty()) return {};
  return bad(offset_);
}

}  // namespace versement::bagit
