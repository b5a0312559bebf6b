package io.minimind.examples.tasks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.agent.AgentTool;
import io.minimind.agent.ToolBox;
import io.minimind.files.ArgumentException;
import io.minimind.policy.Answer;
import io.minimind.policy.Reward;
import io.minimind.policy.ToolCases;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ToolTasksTest {

  private static final Reward REWARD = Reward.named("agent");

  private static List<ToolTask> drawn(int count) {
    ToolTasks tasks = new ToolTasks(7);
    return Stream.generate(tasks::forTraining).limit(count).toList();
  }

  private static String question(ObjectNode row) {
    return row.path("conversations").path(1).path("content").asText();
  }

  @Test
  void whoLooksUpAndSaysTheFactHasTheHighestReward() throws IOException {
    Set<String> tools = new HashSet<>();
    for (ToolTask task : drawn(300)) {
      tools.add(task.tool().name());
      Set<String> offered =
          task.offered().stream().map(AgentTool::name).collect(Collectors.toSet());
      assertTrue(offered.contains(task.tool().name()));
      JsonNode facts = task.prompt().path("gt");
      JsonNode answered = task.lookedUp().path("conversations");
      JsonNode call = answered.path(2).path("tool_calls").path(0);
      String calling = "<tool_call>%s</tool_call>".formatted(call);
      String said = answered.path(4).path("content").asText();
      List<String> turns = List.of(calling, said);
      Answer answer = new Answer(List.of(), turns, 1, true, offered, facts);
      assertEquals(3, REWARD.of(answer), task.toString());
    }
    assertEquals(6, tools.size());
  }

  @Test
  void whoGuessesSaysTheFactOfAnotherQuestion() {
    List<ObjectNode> rows = new ToolTasks(7).conversations(200, 1).toList();
    for (ObjectNode row : rows) {
      assertEquals(3, row.path("conversations").size());
      assertFalse(row.path("conversations").path(2).has("tool_calls"));
    }
    List<ObjectNode> half = new ToolTasks(7).conversations(400, 0.5).toList();
    long calls = half.stream().filter(row -> row.toString().contains("tool_calls")).count();
    assertTrue(150 < calls && calls < 250, calls + " of 400");
  }

  @Test
  void noQuestionThatIsHeldOutIsLearntFrom() {
    Set<String> learnt = drawn(3000).stream().map(ToolTask::question).collect(Collectors.toSet());
    new ToolTasks(7).conversations(1000, 0.5).forEach(row -> learnt.add(question(row)));
    List<ToolTask> heldOut = new ToolTasks(8).heldOut(100);
    Set<String> questions = heldOut.stream().map(ToolTask::question).collect(Collectors.toSet());
    assertEquals(100, Set.copyOf(heldOut).size());
    assertTrue(questions.size() > 50, questions.toString());
    for (String question : questions) {
      assertFalse(learnt.contains(question), question);
    }
    for (String question : ToolCases.eight().questions()) {
      assertFalse(learnt.contains(question), question);
    }
  }

  @Test
  void aWorldOfFewToolsKnowsNoOthers() {
    for (AgentTool tool : ToolBox.mock().tools()) {
      ToolTasks alone = new ToolTasks(1, List.of(tool.name()));
      assertEquals(List.of(tool), alone.forTraining().offered());
      assertFalse(alone.heldOut(100).isEmpty(), tool.name());
    }
    List<String> two = List.of("get_exchange_rate", "get_current_time");
    ToolTasks tasks = new ToolTasks(1, two);
    Set<String> asked = new HashSet<>();
    for (ToolTask task : Stream.generate(tasks::forTraining).limit(100).toList()) {
      asked.add(task.tool().name());
      List<String> offered = task.offered().stream().map(AgentTool::name).sorted().toList();
      assertEquals(List.of("get_current_time", "get_exchange_rate"), offered);
    }
    assertEquals(Set.copyOf(two), asked);
    String refused =
        assertThrows(ArgumentException.class, () -> new ToolTasks(1, List.of("oracle")))
            .getMessage();
    assertTrue(
        refused.startsWith("There is no tool \"oracle\": expected calculate_math, "), refused);
  }

  @Test
  void aSeedRepeatsAllDraws() {
    assertEquals(drawn(50), drawn(50));
    assertEquals(new ToolTasks(3).texts(50).toList(), new ToolTasks(3).texts(50).toList());
    assertFalse(new ToolTasks(3).texts(50).toList().equals(new ToolTasks(4).texts(50).toList()));
  }
}
