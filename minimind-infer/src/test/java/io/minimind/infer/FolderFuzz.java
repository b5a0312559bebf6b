package io.minimind.infer;

import io.minimind.files.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Damages model folders in many ways and uses them. What it must not do is end the process, which
 * is why it is a process of its own: it prints the number of each attempt before it makes it.
 */
final class FolderFuzz {
  private FolderFuzz() {}

  /** Arguments: an empty folder, the first attempt, the number of attempts. */
  public static void main(String[] arguments) throws IOException {
    Path whole = ExportedModel.write(Path.of(arguments[0]).resolve("whole"));
    int first = Integer.parseInt(arguments[1]);
    int refused = 0;
    for (int i = first; i < first + Integer.parseInt(arguments[2]); i++) {
      Path damaged = copy(whole, Path.of(arguments[0]).resolve("damaged"));
      String damage = damage(damaged, new SplittableRandom(i));
      System.out.println(i + ": " + damage);
      refused += use(damaged) ? 0 : 1;
    }
    System.out.println("refused " + refused);
  }

  /** Whether the folder works; one that does not must say so in a sentence. */
  private static boolean use(Path folder) {
    try (LanguageModel model = LanguageModel.load(folder, LoadOptions.defaults().withThreads(1))) {
      model.generate("law", GenerationOptions.defaults().withMaxNewTokens(120).withSeed(1));
      model.embed("law");
      return true;
    } catch (IOException | IllegalArgumentException | IllegalStateException e) {
      String message = String.valueOf(e.getMessage());
      System.out.println("  " + message);
      if (!message.endsWith(".")) {
        throw new AssertionError("not a sentence: " + message, e);
      }
      return false;
    }
  }

  private static Path copy(Path from, Path to) throws IOException {
    Folders.delete(to);
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  private static String damage(Path folder, SplittableRandom random) throws IOException {
    List<String> names;
    try (Stream<Path> files = Files.list(folder)) {
      names = files.map(file -> file.getFileName().toString()).sorted().toList();
    }
    // Half of all damage goes to the graph, where it can do most harm.
    String name = random.nextBoolean() ? "model.onnx" : names.get(random.nextInt(names.size()));
    Path file = folder.resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    switch (random.nextInt(6)) {
      case 0 -> {
        int length = random.nextInt(bytes.length);
        Files.write(file, Arrays.copyOf(bytes, length));
        return name + " cut to " + length;
      }
      case 1 -> {
        int bits = 1 + random.nextInt(8);
        for (int i = 0; i < bits; i++) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        Files.write(file, bytes);
        return name + " with " + bits + " bits flipped";
      }
      case 2 -> {
        Files.delete(file);
        return name + " missing";
      }
      case 3 -> {
        int at = random.nextInt(bytes.length);
        int length = Math.min(bytes.length - at, 1 + random.nextInt(64));
        for (int i = at; i < at + length; i++) {
          bytes[i] = (byte) random.nextInt();
        }
        Files.write(file, bytes);
        return name + " with noise at " + at;
      }
      case 4 -> {
        return digits(folder, names, random);
      }
      default -> {
        Path outside = folder.resolveSibling("outside");
        Files.write(outside, bytes);
        Files.delete(file);
        Files.createSymbolicLink(file, outside);
        return name + " as a link out of the folder";
      }
    }
  }

  /** Other numbers where there are numbers: shapes, offsets, lengths, ids. */
  private static String digits(Path folder, List<String> names, SplittableRandom random)
      throws IOException {
    String name = names.get(random.nextInt(names.size()));
    byte[] bytes = Files.readAllBytes(folder.resolve(name));
    int start = random.nextInt(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      int at = (start + i) % bytes.length;
      if (bytes[at] >= '0' && bytes[at] <= '9') {
        bytes[at] = (byte) ('0' + random.nextInt(10));
        if (random.nextInt(3) == 0) {
          Files.write(folder.resolve(name), bytes);
          return name + " with other digits until " + at + " " + context(bytes, at);
        }
      }
    }
    return name + " with all digits changed";
  }

  private static String context(byte[] bytes, int at) {
    int start = Math.max(0, at - 20);
    return StandardCharsets.US_ASCII
        .decode(ByteBuffer.wrap(bytes, start, at - start))
        .toString()
        .replaceAll("[^ -~]", ".");
  }
}
