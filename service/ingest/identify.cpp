#include "service/ingest/identify.hpp"

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <magic.h>

#include "store/base/log.hpp"
#include "store/base/pool.hpp"

namespace versement::ingest {
namespace {

struct CloseMagic {
  void operator()(magic_set* cookie) const { magic_close(cookie); }
};
using Cookie = std::unique_ptr<magic_set, CloseMagic>;

// libmagic's cookies. One serves one thread at a time and unpacks a database of several MiB, so
// there are as many as processors, not as many as threads.
class Cookies {
 public:
  Cookie take() {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [this] { return !idle_.empty() || made_ < kept_max_; });
    if (idle_.empty()) {
      ++made_;
      lock.unlock();
      return open();
    }
    Cookie cookie = std::move(idle_.back());
    idle_.pop_back();
    return cookie;
  }

  void give_back(Cookie cookie) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(cookie));
    given_back_.notify_one();
  }

 private:
  static Cookie open() {
    Cookie cookie(magic_open(MAGIC_NONE));
    if (cookie && magic_load(cookie.get(), nullptr) != 0) {
      log::warning("libmagic has no database; formats stay unknown",
                   {{"why", magic_error(cookie.get())}});
      cookie.reset();
    }
    return cookie;
  }

  const std::size_t kept_max_ = processor_count();
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<Cookie> idle_;  // Guarded by mutex_. Null: the database cannot be read.
  std::size_t made_ = 0;      // likewise
};

std::string ask(const Cookie& cookie, int flags, std::span<const std::byte> bytes) {
  if (!cookie || magic_setflags(cookie.get(), flags) != 0) return {};
  const char* const answer = magic_buffer(cookie.get(), bytes.data(), bytes.size());
  return answer != nullptr ? answer : "";
}

// One PRONOM record: the media type, a phrase of libmagic's description (empty: any), and what
// PRONOM says. The first that fits counts.
struct Known {
  std::string_view media_type, phrase, name, version, puid;
};

constexpr std::array<Known, 37> kKnown{{
    {"image/jpeg", "JFIF standard 1.00", "JPEG File Interchange Format", "1.00", "fmt/42"},
    {"image/jpeg", "JFIF standard 1.01", "JPEG File Interchange Format", "1.01", "fmt/43"},
    {"image/jpeg", "JFIF standard 1.02", "JPEG File Interchange Format", "1.02", "fmt/44"},
    {"image/jpeg", "", "Raw JPEG Stream", "", "fmt/41"},
    {"image/tiff", "", "Tagged Image File Format", "", "fmt/353"},
    {"image/png", "", "Portable Network Graphics", "", "fmt/11"},
    {"image/gif", "version 87a", "Graphics Interchange Format", "87a", "fmt/3"},
    {"image/gif", "version 89a", "Graphics Interchange Format", "89a", "fmt/4"},
    {"image/jp2", "", "JP2 (JPEG 2000 part 1)", "", "x-fmt/392"},
    {"image/jpx", "", "JPX (JPEG 2000 part 2)", "", "fmt/151"},
    {"image/svg+xml", "", "Scalable Vector Graphics", "", "fmt/91"},
    {"application/pdf", "version 1.0", "Acrobat PDF 1.0 - Portable Document Format", "1.0",
     "fmt/14"},
    {"application/pdf", "version 1.1", "Acrobat PDF 1.1 - Portable Document Format", "1.1",
     "fmt/15"},
    {"application/pdf", "version 1.2", "Acrobat PDF 1.2 - Portable Document Format", "1.2",
     "fmt/16"},
    {"application/pdf", "version 1.3", "Acrobat PDF 1.3 - Portable Document Format", "1.3",
     "fmt/17"},
    {"application/pdf", "version 1.4", "Acrobat PDF 1.4 - Portable Document Format", "1.4",
     "fmt/18"},
    {"application/pdf", "version 1.5", "Acrobat PDF 1.5 - Portable Document Format", "1.5",
     "fmt/19"},
    {"application/pdf", "version 1.6", "Acrobat PDF 1.6 - Portable Document Format", "1.6",
     "fmt/20"},
    {"application/pdf", "version 1.7", "Acrobat PDF 1.7 - Portable Document Format", "1.7",
     "fmt/276"},
    {"application/pdf", "version 2.0", "Acrobat PDF 2.0 - Portable Document Format", "2.0",
     "fmt/1129"},
    {"text/plain", "", "Plain Text File", "", "x-fmt/111"},
    {"text/csv", "", "Comma Separated Values", "", "x-fmt/18"},
    {"text/xml", "", "Extensible Markup Language", "", "fmt/101"},
    {"application/xml", "", "Extensible Markup Language", "", "fmt/101"},
    {"text/html", "", "Hypertext Markup Language", "", "fmt/96"},
    {"application/json", "", "JSON Data Interchange Format", "", "fmt/817"},
    {"application/zip", "", "ZIP Format", "", "x-fmt/263"},
    {"application/gzip", "", "GZIP Format", "", "x-fmt/266"},
    {"application/x-tar", "", "Tape Archive Format", "", "x-fmt/265"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "",
     "Microsoft Word for Windows", "2007 onwards", "fmt/412"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "",
     "Microsoft Excel for Windows", "2007 onwards", "fmt/214"},
    {"application/vnd.oasis.opendocument.text", "", "OpenDocument Text", "", "fmt/290"},
    {"application/rtf", "", "Rich Text Format", "", "fmt/355"},
    {"audio/x-wav", "", "Waveform Audio", "", "fmt/6"},
    {"audio/mpeg", "", "MPEG 1/2 Audio Layer 3", "", "fmt/134"},
    {"video/mp4", "", "MPEG-4 Media File", "", "fmt/199"},
    {"video/x-matroska", "", "Matroska", "", "fmt/569"},
}};

}  // namespace

mets::Format identify(std::span<const std::byte> beginning) {
  static Cookies cookies;
  Cookie cookie = cookies.take();
  mets::Format format;
  format.media_type = ask(cookie, MAGIC_MIME_TYPE, beginning);
  // No registered type is that of no bytes; readers of METS refuse libmagic's own word for it.
  if (beginning.empty() || format.media_type.find('/') == std::string::npos) {
    format.media_type = "application/octet-stream";
  }
  const std::string description = ask(cookie, MAGIC_NONE, beginning);
  cookies.give_back(std::move(cookie));
  for (const Known& known : kKnown) {
    if (known.media_type != format.media_type) continue;
    if (description.find(known.phrase) == std::string::npos) continue;
    format.name = known.name;
    format.version = known.version;
    format.puid = known.puid;
    return format;
  }
  format.name = description.substr(0, 200);
  return format;
}

}  // namespace versement::ingest
