package io.minimind.examples.tasks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.agent.AgentTool;
import io.minimind.agent.PythonJson;
import io.minimind.agent.ToolBox;
import io.minimind.examples.tasks.QuestionKind.Subject;
import io.minimind.examples.tasks.ToolTask.Wording;
import io.minimind.files.ArgumentException;
import io.minimind.policy.ToolCases;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Draws tasks for mock tools, in English and in Chinese, and makes of them all that a small model
 * needs to learn to use tools. A question is either for training or held out, which depends on its
 * text alone: none is in both. Two thirds of the tools' tables can be learnt by heart; sums and
 * conversions cannot.
 */
public final class ToolTasks {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of so many questions one is held out. */
  private static final int HELD_OUT = 5;

  /** So many draws without a task that is new, and there are no more. */
  private static final int PATIENCE = 500;

  /** What {@code eval tools} asks. */
  private static final Set<String> EVALUATION = Set.copyOf(ToolCases.eight().questions());

  private final List<AgentTool> tools;
  private final List<QuestionKind> kinds;
  private final Random random;

  /** Of all six tools. */
  public ToolTasks(long seed) {
    this(seed, List.of());
  }

  /**
   * @param names of the tools that there are in this world; all six unless any are given
   * @throws IllegalArgumentException if there is no such tool
   */
  public ToolTasks(long seed, List<String> names) {
    tools = names.isEmpty() ? ToolBox.mock().tools() : named(names);
    kinds =
        QuestionKind.ALL.stream()
            .filter(kind -> tools.stream().anyMatch(tool -> tool.name().equals(kind.tool())))
            .toList();
    random = new Random(seed);
  }

  private static List<AgentTool> named(List<String> names) {
    List<String> known = ToolBox.mock().tools().stream().map(AgentTool::name).toList();
    for (String name : names) {
      if (!known.contains(name)) {
        throw new ArgumentException(
            "There is no tool \"%s\": expected %s.".formatted(name, String.join(", ", known)));
      }
    }
    return ToolBox.mock().tools().stream().filter(tool -> names.contains(tool.name())).toList();
  }

  /** What is asked, before anybody has answered it. */
  private record Asked(
      String question,
      String subject,
      AgentTool tool,
      ObjectNode arguments,
      List<AgentTool> offered,
      Wording wording) {

    ToolTask answered() {
      return ToolTask.of(question, subject, tool, arguments, offered, wording);
    }

    boolean isHeldOut() {
      return EVALUATION.contains(question)
          || new SplittableRandom(question.hashCode()).nextInt(HELD_OUT) == 0;
    }
  }

  /** A task whose question may be learnt from. */
  public ToolTask forTraining() {
    return draw(asked -> !asked.isHeldOut()).answered();
  }

  /**
   * Tasks whose questions are held out; they all differ, in the tools that are offered at least.
   * Fewer if there are not so many.
   */
  public List<ToolTask> heldOut(int count) {
    Set<ToolTask> tasks = new LinkedHashSet<>();
    for (int tries = 0; tasks.size() < count && tries < PATIENCE; tries++) {
      Asked drawn = draw();
      if (drawn.isHeldOut() && tasks.add(drawn.answered())) {
        tries = 0;
      }
    }
    return List.copyOf(tasks);
  }

  /** Texts of the world: tasks with all that leads to their answers, and what tools there are. */
  public Stream<ObjectNode> texts(int count) {
    return Stream.generate(
            () ->
                random.nextInt(HELD_OUT) > 0
                    ? forTraining().text()
                    : JSON.createObjectNode().put("text", description()))
        .limit(count);
  }

  private String description() {
    return PythonJson.dumps(pick(tools).description());
  }

  /**
   * Conversations of somebody who does not always care to look things up.
   *
   * @param guesses the share in which the answer is that of another question, in [0, 1]
   */
  public Stream<ObjectNode> conversations(int count, double guesses) {
    return Stream.generate(
            () -> {
              ToolTask task = forTraining();
              return random.nextDouble() < guesses
                  ? task.guessed(another(task).fact())
                  : task.lookedUp();
            })
        .limit(count);
  }

  /** One that the same tool answers otherwise. */
  private ToolTask another(ToolTask task) {
    while (true) {
      ToolTask other =
          draw(asked -> asked.tool().equals(task.tool()) && !asked.isHeldOut()).answered();
      if (!other.fact().equals(task.fact())) {
        return other;
      }
    }
  }

  private Asked draw(Predicate<Asked> wanted) {
    while (true) {
      Asked asked = draw();
      if (wanted.test(asked)) {
        return asked;
      }
    }
  }

  private Asked draw() {
    QuestionKind kind = pick(kinds);
    Wording wording = pick(kind.wordings());
    Subject subject = kind.subjects().apply(random);
    AgentTool tool = tool(kind.tool());
    return new Asked(
        wording.question().formatted(subject.words().toArray()),
        subject.words().stream().map(String::valueOf).collect(Collectors.joining(", ")),
        tool,
        subject.arguments(),
        offered(tool),
        wording);
  }

  private AgentTool tool(String name) {
    return tools.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
  }

  /** A tool with another, in any order; alone where there is no other. */
  private List<AgentTool> offered(AgentTool tool) {
    List<AgentTool> offered = new ArrayList<>(List.of(tool));
    List<AgentTool> others = new ArrayList<>(tools);
    others.remove(tool);
    if (!others.isEmpty()) {
      offered.add(pick(others));
    }
    Collections.shuffle(offered, random);
    return offered;
  }

  private <T> T pick(List<T> some) {
    return QuestionKind.pick(some, random);
  }
}
