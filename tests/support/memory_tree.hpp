// A bag in memory: files by path, read anywhere or from the beginning to the end only.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bagit/tree.hpp"

namespace versement::testing {

class MemoryTree : public bagit::Tree {
 public:
  std::vector<std::pair<std::string, std::string>> files;
  bool in_order = false;
  bool again = true;
  int visits = 0;
  bagit::Form shape = bagit::Form::plan;

  bagit::Form form() const override { return shape; }
  std::string name() const override { return "bag.tar"; }
  bool sequential() const override { return in_order; }
  bool repeatable() const override { return again; }
  Result<void> visit(bagit::Visitor& visitor, const std::stop_token& /*stop*/) override {
    ++visits;
    for (const auto& [path, bytes] : files) {
      bagit::Entry entry;
      entry.path = path;
      entry.size_bytes = bytes.size();
      TRY_SET(const bool wanted, visitor.entry(entry));
      if (!in_order || !wanted) continue;
      for (const char& byte : bytes)
        TRY(visitor.data(std::as_bytes(std::span(&byte, 1))));
      TRY(visitor.end());
    }
    return {};
  }
  Result<std::unique_ptr<bagit::Stream>> open(std::size_t number,
                                              const std::string& path) override {
    if (in_order || files.at(number).first != path) {
      return Error(Code::internal, "the tree was asked for what it cannot give");
    }
    return std::unique_ptr<bagit::Stream>(std::make_unique<Bytes>(files.at(number).second));
  }

 private:
  class Bytes : public bagit::Stream {
   public:
    explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<std::size_t> read(std::span<std::byte> into) override {
      const std::size_t count = std::min(into.size(), bytes_.size() - at_);
      std::copy_n(reinterpret_cast<const std::byte*>(bytes_.data()) + at_, count, into.begin());
      at_ += count;
      return count;
    }

   private:
    const std::string bytes_;
    std::size_t at_ = 0;
  };
};

}  // namespace versement::testing
