// What an item says of itself, kept small until the item is stored.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "mets/description.hpp"
#include "store/base/json.hpp"

namespace versement::ingest {

// Texts that many items have: each of them is in memory once.
class SharedTexts {
 public:
  std::shared_ptr<const std::string> keep(std::string text);

 private:
  struct Before {
    bool operator()(const std::shared_ptr<const std::string>& a,
                    const std::shared_ptr<const std::string>& b) const {
      return *a < *b;
    }
  };
  std::set<std::shared_ptr<const std::string>, Before> texts_;
};

// A description and an analogue original as JSON text: a mets::Description has a dozen lists and
// maps and takes more than a kilobyte when it says next to nothing, and a plan holds one of each
// item. Rights are mostly those of the collection, so they may be shared.
class Notice {
 public:
  // Both as mets::to_json makes them; with `shared` its owner keeps the text of the rights.
  // Whoever calls has made sure of UTF-8: of anything else nothing can be read again.
  void set(json::Object description, const json::Object& original, SharedTexts* shared = nullptr);

  json::Object description_json() const;
  mets::Description description() const { return mets::description_of(description_json()); }
  mets::Original original() const;

 private:
  std::string text_;                           // the description, and in it "original" if it is any
  std::shared_ptr<const std::string> rights_;  // what `text_` leaves out
};

}  // namespace versement::ingest
