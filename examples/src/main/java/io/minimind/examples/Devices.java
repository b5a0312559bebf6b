package io.minimind.examples;

import io.minimind.runtime.Device;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The devices of an option, as they were written.
 *
 * @param text such as {@code cuda:0,cuda:1}
 */
record Devices(String text, List<Device> list) {

  static final Devices CPU = of("cpu");

  /**
   * @throws IllegalArgumentException if it is no list of devices
   */
  static Devices of(String text) {
    return new Devices(text, Device.parse(text));
  }

  @Override
  public String toString() {
    return text;
  }

  /** Reads the option. */
  static final class Converter implements ITypeConverter<Devices> {
    @Override
    public Devices convert(String text) {
      try {
        return of(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
