#include "service/transfer/state.hpp"

#include <map>
#include <set>

#include "tests/support/expect.hpp"

namespace versement::transfer {
namespace {

constexpr State kStates[] = {
    State::draft,    State::sealed,           State::offered,  State::collecting, State::received,
    State::accepted, State::accepted_in_part, State::rejected, State::withdrawn};
constexpr Act kActs[] = {Act::edit,        Act::seal,   Act::offer,  Act::collect,
                         Act::acknowledge, Act::accept, Act::reject, Act::withdraw};

// Written out beside the table itself: whoever changes one must mean it.
const std::map<std::pair<State, Act>, State> kLegal{
    {{State::draft, Act::edit}, State::draft},
    {{State::draft, Act::seal}, State::sealed},
    {{State::draft, Act::withdraw}, State::withdrawn},
    {{State::sealed, Act::offer}, State::offered},
    {{State::sealed, Act::withdraw}, State::withdrawn},
    {{State::offered, Act::collect}, State::collecting},
    {{State::offered, Act::acknowledge}, State::received},
    {{State::offered, Act::reject}, State::rejected},
    {{State::offered, Act::withdraw}, State::withdrawn},
    {{State::collecting, Act::collect}, State::collecting},
    {{State::collecting, Act::acknowledge}, State::received},
    {{State::collecting, Act::reject}, State::rejected},
    {{State::collecting, Act::withdraw}, State::withdrawn},
    {{State::received, Act::acknowledge}, State::received},
    {{State::received, Act::accept}, State::accepted},
    {{State::received, Act::reject}, State::rejected},
    {{State::received, Act::withdraw}, State::withdrawn},
    {{State::rejected, Act::withdraw}, State::withdrawn},
};

TEST(TransferState, every_pair_of_state_and_act_is_as_written) {
  for (const State state : kStates) {
    for (const Act act : kActs) {
      const auto next = next_state(state, act);
      const auto legal = kLegal.find({state, act});
      const std::string pair = std::string(state_name(state)) + " " + std::string(act_name(act));
      if (legal == kLegal.end()) {
        ASSERT_FALSE(next) << pair;
        EXPECT_EQ(next.error().reason(), "transition-not-allowed");
        EXPECT_NE(next.error().what().find(state_name(state)), std::string::npos);
      } else {
        ASSERT_TRUE(next) << pair;
        EXPECT_EQ(*next, legal->second) << pair;
      }
    }
  }
}

TEST(TransferState, names_go_there_and_back) {
  std::set<std::string_view> names;
  for (const State state : kStates) {
    EXPECT_TRUE(names.insert(state_name(state)).second);
    EXPECT_EQ(state_of_name(state_name(state)), state);
  }
  EXPECT_FALSE(state_of_name("lost"));
}

TEST(TransferState, what_is_offered_as_allowed_is_allowed) {
  for (const State state : kStates) {
    for (const Party party : {Party::sender, Party::receiver, Party::service}) {
      for (const std::string& name : allowed_acts(state, party)) {
        bool found = false;
        for (const Act act : kActs) {
          if (act_name(act) == name) found = static_cast<bool>(next_state(state, act));
        }
        EXPECT_TRUE(found) << name;
      }
    }
  }
}

TEST(TransferState, nothing_is_pulled_before_it_is_offered_or_after_it_was_withdrawn) {
  for (const State state : {State::draft, State::sealed, State::rejected, State::withdrawn}) {
    EXPECT_FALSE(can_be_pulled(state));
  }
  EXPECT_FALSE(visible_to_receiver({{"state", "withdrawn"}}));
  EXPECT_FALSE(visible_to_receiver({{"state", "sealed"}}));
}

}  // namespace
}  // namespace versement::transfer
