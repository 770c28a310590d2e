#include "service/transfer/state.hpp"

#include <array>

namespace versement::transfer {
namespace {

constexpr std::array<std::string_view, 9> kStates{
    "draft",    "sealed",           "offered",  "collecting", "received",
    "accepted", "accepted_in_part", "rejected", "withdrawn"};

constexpr std::array<std::string_view, 8> kActs{"edit",        "seal",   "offer",  "collect",
                                                "acknowledge", "accept", "reject", "withdraw"};

struct Transition {
  State from;
  Act act;
  Party party;
  State to;
};

constexpr std::array<Transition, 18> kTransitions{{
    {State::draft, Act::edit, Party::sender, State::draft},
    {State::draft, Act::seal, Party::sender, State::sealed},
    {State::sealed, Act::offer, Party::sender, State::offered},
    {State::offered, Act::collect, Party::service, State::collecting},
    {State::offered, Act::acknowledge, Party::receiver, State::received},
    {State::collecting, Act::acknowledge, Party::receiver, State::received},
    // Repeated by a client that did not hear the answer.
    {State::received, Act::acknowledge, Party::receiver, State::received},
    {State::received, Act::accept, Party::receiver, State::accepted},
    {State::offered, Act::reject, Party::receiver, State::rejected},
    {State::collecting, Act::reject, Party::receiver, State::rejected},
    {State::received, Act::reject, Party::receiver, State::rejected},
    {State::draft, Act::withdraw, Party::sender, State::withdrawn},
    {State::sealed, Act::withdraw, Party::sender, State::withdrawn},
    {State::offered, Act::withdraw, Party::sender, State::withdrawn},
    {State::collecting, Act::withdraw, Party::sender, State::withdrawn},
    {State::received, Act::withdraw, Party::sender, State::withdrawn},
    {State::rejected, Act::withdraw, Party::sender, State::withdrawn},
    {State::collecting, Act::collect, Party::service, State::collecting},
}};

}  // namespace

std::string_view state_name(State state) {
  return kStates.at(static_cast<std::size_t>(state));
}

std::optional<State> state_of_name(std::string_view name) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == name) return static_cast<State>(i);
  }
  return std::nullopt;
}

std::string_view act_name(Act act) {
  return kActs.at(static_cast<std::size_t>(act));
}

Result<State> next_state(State state, Act act) {
  for (const Transition& each : kTransitions) {
    if (each.from == state && each.act == act) return each.to;
  }
  std::string what = "the transfer is " + std::string(state_name(state)) + " and cannot be ";
  switch (act) {
    case Act::edit:
      what += "changed; a correction is a new transfer";
      break;
    case Act::seal:
      what += "sealed";
      break;
    case Act::offer:
      what += "offered";
      break;
    case Act::collect:
      what += "pulled";
      break;
    case Act::acknowledge:
      what += "acknowledged";
      break;
    case Act::accept:
      what += state == State::offered || state == State::collecting
                  ? "accepted before it was acknowledged as received"
                  : "accepted";
      break;
    case Act::reject:
      what += "rejected";
      break;
    case Act::withdraw:
      what += "withdrawn";
      break;
  }
  return Error(Code::conflict, what).as("transition-not-allowed");
}

std::vector<std::string> allowed_acts(State state, Party party) {
  std::vector<std::string> acts;
  for (const Transition& each : kTransitions) {
    if (each.from == state && each.party == party) acts.emplace_back(act_name(each.act));
  }
  return acts;
}

std::string_view waiting_for(State state) {
  switch (state) {
    case State::draft:
    case State::sealed:
    case State::rejected:
      return "sender";
    case State::offered:
    case State::collecting:
    case State::received:
      return "receiver";
    case State::accepted:
    case State::accepted_in_part:
    case State::withdrawn:
      return "nobody";
  }
  return "nobody";
}

bool visible_to_receiver(const json::Object& transfer) {
  if (transfer.contains("offered_at")) return true;
  // Journals of 0.1.0 before it was released have no such time.
  const auto state = state_of_name(json::text_at(transfer, "state"));
  return state && (can_be_pulled(*state) || *state == State::rejected);
}

bool can_be_pulled(State state) {
  switch (state) {
    case State::offered:
    case State::collecting:
    case State::received:
    case State::accepted:
    case State::accepted_in_part:
      return true;
    default:
      return false;
  }
}

}  // namespace versement::transfer
