#include "store/base/json_events.hpp"

#include <cmath>
#include <string>

#include <boost/json/basic_parser_impl.hpp>

#include "store/base/limits.hpp"

namespace versement::json {
namespace {

// Puts the parts of names and texts together and hands everything on.
class Handler {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for these names.
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  // NOLINTEND(readability-identifier-naming)

  using Ec = boost::json::error_code;
  using View = boost::json::string_view;

  explicit Handler(Events& events) : events_(events) {}

  bool on_document_begin(Ec& /*ec*/) { return true; }
  bool on_document_end(Ec& /*ec*/) { return true; }
  bool on_object_begin(Ec& /*ec*/) { return tell(Kind::object); }
  bool on_object_end(std::size_t /*count*/, Ec& /*ec*/) { return tell_end(); }
  bool on_array_begin(Ec& /*ec*/) { return tell(Kind::array); }
  bool on_array_end(std::size_t /*count*/, Ec& /*ec*/) { return tell_end(); }
  bool on_key_part(View part, std::size_t /*count*/, Ec& /*ec*/) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(View part, std::size_t /*count*/, Ec& /*ec*/) {
    text_.append(part.data(), part.size());
    events_.name(text_);
    text_.clear();
    return true;
  }
  bool on_string_part(View part, std::size_t /*count*/, Ec& /*ec*/) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(View part, std::size_t /*count*/, Ec& /*ec*/) {
    text_.append(part.data(), part.size());
    events_.value(Kind::text, text_);
    text_.clear();
    return true;
  }
  bool on_number_part(View /*part*/, Ec& /*ec*/) { return true; }
  bool on_int64(std::int64_t /*value*/, View /*text*/, Ec& /*ec*/) { return tell(Kind::other); }
  bool on_uint64(std::uint64_t /*value*/, View /*text*/, Ec& /*ec*/) { return tell(Kind::other); }
  bool on_double(double /*value*/, View /*text*/, Ec& /*ec*/) { return tell(Kind::other); }
  bool on_bool(bool /*value*/, Ec& /*ec*/) { return tell(Kind::other); }
  bool on_null(Ec& /*ec*/) { return tell(Kind::other); }
  bool on_comment_part(View /*part*/, Ec& /*ec*/) { return true; }
  bool on_comment(View /*part*/, Ec& /*ec*/) { return true; }

 private:
  bool tell(Kind kind) {
    events_.value(kind, {});
    return true;
  }
  bool tell_end() {
    events_.end();
    return true;
  }

  Events& events_;
  std::string text_;
};

boost::json::parse_options options() {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepthMax;
  return options;
}

}  // namespace

struct EventReader::State {
  explicit State(Events& events) : parser(options(), events) {}
  boost::json::basic_parser<Handler> parser;
  std::uint64_t offset = 0;  // of the next piece
};

EventReader::EventReader(Events& events) : state_(std::make_unique<State>(events)) {}
EventReader::~EventReader() = default;

Result<void> EventReader::feed(std::string_view piece) {
  boost::json::error_code ec;
  const std::size_t read = state_->parser.write_some(true, piece.data(), piece.size(), ec);
  if (!ec && read < piece.size()) ec = boost::json::error::extra_data;
  if (ec) {
    return Error(Code::invalid,
                 "not JSON at byte " + std::to_string(state_->offset + read) + ": " + ec.message());
  }
  state_->offset += piece.size();
  return {};
}

Result<void> EventReader::finish() {
  boost::json::error_code ec;
  if (!state_->parser.done()) state_->parser.write_some(false, nullptr, 0, ec);
  if (!ec) return {};
  return Error(Code::invalid, "not JSON: it ends at byte " + std::to_string(state_->offset) +
                                  ", which is too early");
}

}  // namespace versement::json
