package io.minimind.examples;

import io.minimind.model.TrainingPrecision;
import io.minimind.train.RunBuilder;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The precision of an option.
 *
 * @param type nothing where it is the fastest of the device
 */
record ChosenPrecision(Optional<TrainingPrecision> type) {

  static final ChosenPrecision FLOAT32 =
      new ChosenPrecision(Optional.of(TrainingPrecision.FLOAT32));

  private static final String AUTO = "auto";

  private static List<String> names() {
    return Stream.concat(
            Arrays.stream(TrainingPrecision.values()).map(TrainingPrecision::toString),
            Stream.of(AUTO))
        .toList();
  }

  /** Tells it to a run that begins. */
  void of(RunBuilder run) {
    type.ifPresentOrElse(run::precision, run::fastestPrecision);
  }

  @Override
  public String toString() {
    return type.map(TrainingPrecision::toString).orElse(AUTO);
  }

  /** What one may write. */
  static final class Candidates implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return names().iterator();
    }
  }

  /** Reads the option. */
  static final class Converter implements ITypeConverter<ChosenPrecision> {
    @Override
    public ChosenPrecision convert(String text) {
      if (text.equalsIgnoreCase(AUTO)) {
        return new ChosenPrecision(Optional.empty());
      }
      return Arrays.stream(TrainingPrecision.values())
          .filter(known -> known.toString().equalsIgnoreCase(text))
          .findFirst()
          .map(known -> new ChosenPrecision(Optional.of(known)))
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "expected %s but was '%s'".formatted(String.join(", ", names()), text)));
    }
  }
}
