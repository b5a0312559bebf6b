package io.minimind.examples.chat;

import io.minimind.files.ArgumentException;
import io.minimind.files.Quoted;
import io.minimind.infer.GenerationOptions;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What {@code /set} changes of how answers are chosen.
 *
 * @param name as it is typed, which is also that of the option of the command
 * @param value as it is
 * @param change gives options with another value
 */
record Setting(
    String name,
    Function<GenerationOptions, String> value,
    BiFunction<GenerationOptions, String, GenerationOptions> change) {

  static final List<Setting> ALL =
      List.of(
          number("temperature", GenerationOptions::temperature, GenerationOptions::withTemperature),
          integer("top-k", GenerationOptions::topK, GenerationOptions::withTopK),
          number("top-p", GenerationOptions::topP, GenerationOptions::withTopP),
          number("min-p", GenerationOptions::minP, GenerationOptions::withMinP),
          number(
              "repetition-penalty",
              GenerationOptions::repetitionPenalty,
              GenerationOptions::withRepetitionPenalty),
          integer(
              "max-new-tokens",
              GenerationOptions::maxNewTokens,
              GenerationOptions::withMaxNewTokens),
          new Setting(
              "seed",
              options -> options.seed().isPresent() ? "" + options.seed().getAsLong() : "random",
              (options, text) -> options.withSeed(parse("seed", text, Long::valueOf))));

  private static Setting number(
      String name,
      Function<GenerationOptions, Double> value,
      BiFunction<GenerationOptions, Double, GenerationOptions> change) {
    return new Setting(
        name,
        options -> value.apply(options).toString(),
        (options, text) -> change.apply(options, parse(name, text, Double::valueOf)));
  }

  private static Setting integer(
      String name,
      Function<GenerationOptions, Integer> value,
      BiFunction<GenerationOptions, Integer, GenerationOptions> change) {
    return new Setting(
        name,
        options -> value.apply(options).toString(),
        (options, text) -> change.apply(options, parse(name, text, Integer::valueOf)));
  }

  private static <T> T parse(String name, String text, Function<String, T> parser) {
    try {
      return parser.apply(text);
    } catch (NumberFormatException e) {
      throw new ArgumentException(
          "%s must be a number, but is %s.".formatted(name, Quoted.text(text)), e);
    }
  }

  /**
   * @throws IllegalArgumentException if there is none of this name
   */
  static Setting of(String name) {
    return ALL.stream()
        .filter(setting -> setting.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new ArgumentException(
                    "There is no setting %s; there are %s."
                        .formatted(
                            Quoted.text(name),
                            ALL.stream().map(Setting::name).collect(Collectors.joining(", ")))));
  }
}
