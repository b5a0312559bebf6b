package io.minimind.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** The most memory of the machine that this process has occupied; Linux alone tells. */
final class PeakMemory {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path RESET = Path.of("/proc/self/clear_refs");
  private static final String PEAK = "VmHWM:";

  private PeakMemory() {}

  /** Starts a new measurement, where the system allows it. */
  static void reset() {
    try {
      Files.writeString(RESET, "5");
    } catch (IOException e) {
      // The peak then goes back to the start of the process.
    }
  }

  static String describe() throws IOException {
    if (!Files.isReadable(STATUS)) {
      return "peak memory unknown on this platform";
    }
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith(PEAK)) {
        double kibibytes = Long.parseLong(line.replaceAll("\\D", ""));
        return String.format(Locale.ROOT, "peak %.2f GB resident", kibibytes * 1024 / 1e9);
      }
    }
    return "peak memory unknown";
  }
}
