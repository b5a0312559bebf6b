package io.minimind.examples;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.minimind.model.TrainingPrecision;
import io.minimind.runtime.Device;
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

  static final String DESCRIPTION =
      "Type of the matrix products: ${COMPLETION-CANDIDATES}. Weights and Adam's moments stay"
          + " float32. CPUs with AVX512_BF16 or AMX have bf16, and GPUs half precision; a CPU"
          + " without computes the same numbers, no faster than float32. auto is bf16 where a CPU"
          + " has it, and else float32.";

  private static final String AUTO = "auto";

  /**
   * That of a name.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  @JsonCreator
  static ChosenPrecision of(String name) {
    if (name.equalsIgnoreCase(AUTO)) {
      return new ChosenPrecision(Optional.empty());
    }
    return Arrays.stream(TrainingPrecision.values())
        .filter(known -> known.toString().equalsIgnoreCase(name))
        .findFirst()
        .map(known -> new ChosenPrecision(Optional.of(known)))
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "expected %s but was '%s'".formatted(String.join(", ", names()), name)));
  }

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

  /** The type on a device. */
  TrainingPrecision on(Device device) {
    return type.orElseGet(device::fastestPrecision);
  }

  @JsonValue
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
      try {
        return of(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
