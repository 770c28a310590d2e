// A bag that exists only as a plan: names, sizes, and where the bytes of each are to be had.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "bagit/tree.hpp"
#include "store/base/source.hpp"

namespace versement::bagit {

class PlanTree : public Tree {
 public:
  using Each = std::function<Result<void>(const std::string& path, std::uint64_t size_bytes)>;
  // Names every file of the plan, in the same order each time.
  using List = std::function<Result<void>(const Each& each)>;
  // Opens the file that was named as number `number`. Thread safe.
  using Open = std::function<Result<std::shared_ptr<Source>>(std::size_t number)>;

  PlanTree(std::string name, List list, Open open);

  Form form() const override { return Form::plan; }
  std::string name() const override { return name_; }
  Result<void> visit(Visitor& visitor, const std::stop_token& stop) override;
  Result<std::unique_ptr<Stream>> open(std::size_t number, const std::string& path) override;

 private:
  const std::string name_;
  const List list_;
  const Open open_;
};

}  // namespace versement::bagit
