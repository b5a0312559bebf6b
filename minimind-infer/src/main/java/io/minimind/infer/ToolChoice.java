package io.minimind.infer;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * Whether an answer calls a tool. Where a tool must be called, a constraint sees to it, so that the
 * arguments always are JSON of the tool's schema:
 *
 * <pre>{@code
 * Constraints constraints = Constraints.of(model.tokenizer());
 * options.withTools(weather).withToolChoice(ToolChoice.named("weather", constraints::jsonSchema));
 * }</pre>
 */
public final class ToolChoice {
  private static final ToolChoice AUTO = new ToolChoice(Mode.AUTO, "", null);
  private static final ToolChoice NONE = new ToolChoice(Mode.NONE, "", null);

  /** Who decides. */
  enum Mode {
    AUTO,
    NONE,
    REQUIRED
  }

  private final Mode mode;
  private final String name; // empty: any tool
  private final Function<String, TokenConstraint> schemas; // null unless required

  private ToolChoice(Mode mode, String name, Function<String, TokenConstraint> schemas) {
    this.mode = mode;
    this.name = name;
    this.schemas = schemas;
  }

  /** The model decides. */
  public static ToolChoice auto() {
    return AUTO;
  }

  /** The answer calls no tool: the model is not told of them. */
  public static ToolChoice none() {
    return NONE;
  }

  /**
   * The answer is a call of one of the tools.
   *
   * @param schemas makes a constraint of a JSON schema
   */
  public static ToolChoice required(Function<String, TokenConstraint> schemas) {
    return new ToolChoice(Mode.REQUIRED, "", Objects.requireNonNull(schemas, "schemas"));
  }

  /**
   * The answer is a call of this tool.
   *
   * @param schemas makes a constraint of a JSON schema
   */
  public static ToolChoice named(String name, Function<String, TokenConstraint> schemas) {
    Objects.requireNonNull(name, "name");
    return new ToolChoice(Mode.REQUIRED, name, Objects.requireNonNull(schemas, "schemas"));
  }

  Mode mode() {
    return mode;
  }

  /** The one tool that may be called, if it is settled. */
  Optional<String> name() {
    return Optional.of(name).filter(given -> !given.isEmpty());
  }

  TokenConstraint constraint(String schema) {
    return schemas.apply(schema);
  }

  @Override
  public String toString() {
    return name.isEmpty() ? mode.name() : name;
  }
}
