package io.minimind.agent;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Tools by their names. Whatever a call does wrong, the model is told, and nothing else happens: a
 * tool that is not there, arguments that it cannot take, one that throws or takes too long.
 *
 * @param patience with a tool; one that takes longer is left to itself
 */
public record ToolBox(List<AgentTool> tools, Duration patience) {

  /** What is left of a long result. */
  private static final int MOST_CHARACTERS = 2048;

  private static final String FAILED = "{\"error\": \"tool not found\"}";

  public ToolBox {
    tools = List.copyOf(tools);
  }

  /**
   * The six of MiniMind, each given ten seconds: they take no time, and what they answer must not
   * depend on what else a machine does.
   */
  public static ToolBox mock() {
    return new ToolBox(MockTools.all(), Duration.ofSeconds(10));
  }

  /** The calls in a text that are JSON, in their order; the others are passed over. */
  public static List<JsonNode> calls(String text) {
    return ToolCalls.in(text);
  }

  /** The tool of a name, if there is one. */
  public Optional<AgentTool> tool(String name) {
    return tools.stream().filter(tool -> tool.name().equals(name)).findFirst();
  }

  /**
   * The tool that a call names, if the arguments are all there that it needs.
   *
   * @param call of {@link #calls}
   */
  public Optional<AgentTool> accepting(JsonNode call) {
    return tool(ToolCalls.name(call)).filter(tool -> tool.accepts(ToolCalls.arguments(call)));
  }

  /**
   * The result of a call, or that it failed, as JSON.
   *
   * @param call of {@link #calls}
   */
  public String answer(JsonNode call) {
    Optional<AgentTool> tool = tool(ToolCalls.name(call));
    if (tool.isEmpty()) {
      return FAILED;
    }
    FutureTask<String> task =
        new FutureTask<>(() -> PythonJson.dumps(tool.get().call(ToolCalls.arguments(call))));
    Thread thread = new Thread(task, "tool-" + tool.get().name());
    thread.setDaemon(true);
    thread.start();
    try {
      return start(task.get(patience.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException e) {
      return FAILED;
    } catch (TimeoutException e) {
      task.cancel(true);
      return FAILED;
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      return FAILED;
    }
  }

  /** Characters beyond the 16-bit range count as one. */
  private static String start(String text) {
    return text.codePointCount(0, text.length()) <= MOST_CHARACTERS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MOST_CHARACTERS));
  }

  /** Descriptions of all tools, as templates read them. */
  public List<Map<String, Object>> descriptions() {
    return tools.stream().map(AgentTool::description).toList();
  }
}
