package io.minimind.infer;

import java.util.Objects;
import java.util.Optional;

/**
 * Whether an answer calls a tool. Where a tool must be called, a constraint sees to it, so that the
 * arguments always are JSON of the tool's schema:
 *
 * <pre>{@code
 * options.withTools(weather).withToolChoice(ToolChoice.named("weather"));
 * }</pre>
 */
public final class ToolChoice {
  private static final ToolChoice AUTO = new ToolChoice(Mode.AUTO, "");
  private static final ToolChoice NONE = new ToolChoice(Mode.NONE, "");
  private static final ToolChoice REQUIRED = new ToolChoice(Mode.REQUIRED, "");

  /** Who decides. */
  enum Mode {
    AUTO,
    NONE,
    REQUIRED
  }

  private final Mode mode;
  private final String name; // empty: any tool

  private ToolChoice(Mode mode, String name) {
    this.mode = mode;
    this.name = name;
  }

  /** The model decides. */
  public static ToolChoice auto() {
    return AUTO;
  }

  /** The answer calls no tool: the model is not told of them. */
  public static ToolChoice none() {
    return NONE;
  }

  /** The answer is a call of one of the tools. */
  public static ToolChoice required() {
    return REQUIRED;
  }

  /** The answer is a call of this tool. */
  public static ToolChoice named(String name) {
    return new ToolChoice(Mode.REQUIRED, Objects.requireNonNull(name, "name"));
  }

  Mode mode() {
    return mode;
  }

  /** The one tool that may be called, if it is settled. */
  Optional<String> name() {
    return Optional.of(name).filter(given -> !given.isEmpty());
  }

  @Override
  public String toString() {
    return name.isEmpty() ? mode.name() : name;
  }
}
