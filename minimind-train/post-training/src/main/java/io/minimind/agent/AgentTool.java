package io.minimind.agent;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/** A function that a model may call. Used by several threads at once. */
public interface AgentTool {

  /** As the model calls it. */
  String name();

  /** What templates read of it: name, description and a JSON schema of the parameters. */
  Map<String, Object> description();

  /** Whether arguments are all there that the tool needs. */
  boolean accepts(JsonNode arguments);

  /**
   * What the tool gives.
   *
   * @param arguments a JSON object, or whatever the model wrote in its place
   * @return something that JSON can hold
   * @throws Exception if it cannot be called with these; the model is told that it failed
   */
  Object call(JsonNode arguments) throws Exception;
}
