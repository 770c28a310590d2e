// The handover's states and acts as one pure table: (state, act) to state, or a refusal that says
// what may be done instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::transfer {

enum class State {
  draft,
  sealed,
  offered,
  collecting,
  received,
  accepted,
  accepted_in_part,
  rejected,
  withdrawn,
};

enum class Act {
  edit,         // items added or removed
  seal,         //
  offer,        //
  collect,      // the first byte leaves; the service's own act
  acknowledge,  //
  accept,       //
  reject,       //
  withdraw,     //
};

enum class Party { sender, receiver, service };

std::string_view state_name(State state);
std::optional<State> state_of_name(std::string_view name);
std::string_view act_name(Act act);

// The state that the act leads to. Accepting in part is the caller's refinement of `accept`.
// Errors: conflict ("transition-not-allowed").
Result<State> next_state(State state, Act act);
// What a party may do in a state, in the order of the handover.
std::vector<std::string> allowed_acts(State state, Party party);
// On whom the handover waits.
std::string_view waiting_for(State state);
// True if the receiver may see the transfer.
bool visible_to_receiver(const json::Object& transfer);
// True if the bag may be pulled.
bool can_be_pulled(State state);

}  // namespace versement::transfer
