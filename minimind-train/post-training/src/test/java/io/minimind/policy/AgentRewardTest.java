package io.minimind.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.minimind.agent.ToolBox;
import io.minimind.chat.Message;
import io.minimind.policy.AgentReward.Transcript;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AgentRewardTest {

  private static final String CALL =
      "<tool_call>{\"name\": \"calculate_math\", \"arguments\": {\"expression\":"
          + " \"6*7\"}}</tool_call>";
  private static final AgentReward REWARD = new AgentReward(ToolBox.mock());

  private static double reward(List<String> turns, boolean unfinished, String... facts) {
    List<JsonNode> expected =
        Stream.of(facts).<JsonNode>map(JsonNodeFactory.instance::textNode).toList();
    return REWARD.of(new Transcript(turns, Set.of("calculate_math"), expected, unfinished));
  }

  @Test
  void callsAndFactsAreRewarded() {
    assertEquals(3, reward(List.of(CALL, "It is 42."), false, "42"));
    assertEquals(0.5, reward(List.of(CALL, "It is 41."), false, "42"), "a call and no fact");
    assertEquals(3, reward(List.of(CALL, "It is 1,042.0 then"), false, "1042"));
    assertEquals(0.5, reward(List.of(CALL, "x42y"), false, "7"));
    assertEquals(-0.5, reward(List.of(CALL, "It is 42."), false), "a call too many");
    // Two too many, and no end; and one of its 30 runs of three words came before.
    assertEquals(-1.5 - 1.0 / 30, reward(List.of(CALL, CALL, CALL), true, "42"), 1e-9);
    String other = CALL.replace("calculate_math", "get_current_time");
    assertEquals(1.5, reward(List.of(other, "It is 42."), false, "42"), "a tool not offered");
  }

  @Test
  void onlyWhatIsSolvedIsWorthSomethingWhereFormIsNot() throws IOException {
    String thought = "x".repeat(20) + "</think>It is ";
    assertEquals(1, solved(CALL, "It is 42."));
    assertEquals(0, solved(CALL, thought + "41."));
    assertEquals(0, solved(CALL + CALL, "It is 42."), "a call too many");
    assertEquals(0, solved(CALL.replace("7", "8"), "It is 42."), "a guess behind a call");
    assertEquals(0, solved(thought + "42."), "the form is worth 1.75 otherwise");
  }

  private static double solved(String... turns) throws IOException {
    return Rewards.named("solved")
        .of(
            new Answer(
                List.of(Message.user("6*7?")),
                List.of(turns),
                1,
                true,
                Set.of("calculate_math"),
                JsonNodeFactory.instance.textNode("42")));
  }

  @Test
  void withoutCallsTheFormIsRewarded() {
    assertEquals(0.5, reward(List.of("It is 42."), false, "42"));
    assertEquals(-0.5, reward(List.of("42"), false, "42"));
    assertEquals(0.0, reward(List.of("<tool_call>It is 42."), false, "42"), "a call without end");
    String thought = "x".repeat(20) + "</think>It is 42.";
    assertEquals(1.75, reward(List.of(thought), false, "42"));
  }
}
