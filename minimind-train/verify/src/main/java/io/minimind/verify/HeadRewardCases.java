package io.minimind.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.agent.PythonJson;
import io.minimind.agent.ToolBox;
import io.minimind.policy.Answer;
import io.minimind.policy.Reward;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What MiniMind's third version thinks of answers and of agents, and what its tools give. */
final class HeadRewardCases {

  private static final String NAME = "head_rewards";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** They were computed in float32. */
  private static final double LIMIT = 1e-6;

  /**
   * @param agentRewards whose tools are null where none were offered
   * @param mockTools whose valid is null where the original fails
   */
  private record Reference(
      List<JsonNode> ruleRewards,
      List<JsonNode> agentRewards,
      List<JsonNode> parsedToolCalls,
      List<JsonNode> mockTools) {}

  private HeadRewardCases() {}

  /**
   * @throws IOException if the reference's file is missing or damaged
   */
  static List<Case> of(GoldenFolder golden) throws IOException {
    Reference reference = golden.read(NAME, Reference.class);
    return List.of(
        rules(reference.ruleRewards()),
        agents(reference.agentRewards()),
        calls(reference.parsedToolCalls()),
        tools(reference.mockTools()));
  }

  private static Case rules(List<JsonNode> rules) throws IOException {
    Reward reward = Reward.named("minimind-rules");
    Worst worst = new Worst();
    for (JsonNode rule : rules) {
      String text = rule.required("response").asText();
      Answer answer = Answer.of(List.of(), text, NullNode.getInstance());
      worst.add(text, Math.abs(reward.of(answer) - rule.required("reward").doubleValue()));
    }
    return worst.against(NAME + " rules", LIMIT);
  }

  private static Case agents(List<JsonNode> agents) throws IOException {
    Reward reward = Reward.named("agent");
    Worst worst = new Worst();
    for (JsonNode agent : agents) {
      List<String> turns = new ArrayList<>();
      agent.required("turn_outputs").forEach(turn -> turns.add(turn.asText()));
      Set<String> offered = new HashSet<>();
      agent.required("tools").forEach(tool -> offered.add(tool.asText()));
      boolean ended = !agent.required("unfinished").booleanValue();
      JsonNode facts = agent.required("ground_truth");
      double found = reward.of(new Answer(List.of(), turns, 1, ended, offered, facts));
      worst.add(
          String.join(" / ", turns), Math.abs(found - agent.required("reward").doubleValue()));
    }
    return worst.against(NAME + " agents", LIMIT);
  }

  private static Case calls(List<JsonNode> texts) {
    Mismatches mismatches = new Mismatches();
    for (JsonNode text : texts) {
      List<String> expected = new ArrayList<>();
      text.required("calls").forEach(call -> expected.add(call.asText()));
      List<String> found =
          ToolBox.calls(text.required("text").asText()).stream().map(PythonJson::dumps).toList();
      mismatches.add(text.required("text").asText(), found.equals(expected));
    }
    return mismatches.as(NAME + " tool calls");
  }

  private static Case tools(List<JsonNode> uses) throws JsonProcessingException {
    ToolBox tools = ToolBox.mock();
    Mismatches mismatches = new Mismatches();
    for (JsonNode use : uses) {
      String name = use.required("name").asText();
      ObjectNode call = JSON.createObjectNode().put("name", name);
      // A text of JSON, as models write it.
      call.put("arguments", use.required("arguments").asText());
      String place = name + " " + use.required("arguments").asText();
      mismatches.add(place, tools.answer(call).equals(use.required("result").asText()));
      boolean valid = tools.accepting(call).isPresent();
      JsonNode expected = use.required("valid");
      mismatches.add(place + ", valid", expected.isNull() || expected.booleanValue() == valid);
    }
    return mismatches.as(NAME + " tools");
  }
}
