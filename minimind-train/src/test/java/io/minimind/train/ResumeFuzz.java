package io.minimind.train;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.Folders;
import io.minimind.files.Mistake;
import io.minimind.files.Sha256;
import io.minimind.model.ModelConfig;
import io.minimind.runtime.OnnxRuntimeException;
import io.minimind.task.Pretraining;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import program.ListRows;

/**
 * Damages a run that was interrupted, and its encoded corpus, in many ways, and goes on with it.
 * Either it ends with the very weights of a run that nobody touched, or it is refused in a
 * sentence. It is a process of its own, for a damage may end it.
 */
final class ResumeFuzz {

  private static final Duration LONGEST = Duration.ofSeconds(20);
  private static final int UPDATES = 6;

  private final Path tokenizer;
  private final ListRows rows;

  private ResumeFuzz(Path tokenizer) {
    this.tokenizer = tokenizer;
    rows =
        new ListRows(
            IntStream.range(0, 24).mapToObj(i -> "once there was a river in " + i).toList());
  }

  /** Arguments: an empty folder, the first attempt, the number of attempts. */
  public static void main(String[] arguments) throws IOException {
    Path place = Path.of(arguments[0]);
    Path tokenizer = Files.createDirectory(place.resolve("tokenizer"));
    ByteLevelBpeTrainer.ofSize(280).train(List.of("once there was").iterator()).save(tokenizer);
    ResumeFuzz fuzz = new ResumeFuzz(tokenizer);
    String expected = fuzz.end(place.resolve("whole"));
    Path half = place.resolve("half");
    fuzz.interrupt(half);
    int same = 0;
    int refused = 0;
    long longest = 0;
    int first = Integer.parseInt(arguments[1]);
    for (int i = first; i < first + Integer.parseInt(arguments[2]); i++) {
      Path damaged = copy(half, place.resolve("damaged"));
      String damage = damage(damaged, new SplittableRandom(i));
      System.out.println(i + ": " + damage);
      long start = System.nanoTime();
      String end = fuzz.end(damaged);
      long taken = System.nanoTime() - start;
      if (taken > LONGEST.toNanos()) {
        throw new AssertionError("attempt " + i + " took " + taken / 1_000_000 + " ms");
      }
      longest = Math.max(longest, taken);
      if (end.isEmpty()) {
        refused++;
      } else if (end.equals(expected)) {
        same++;
      } else {
        throw new AssertionError("attempt " + i + " trained something else: " + damage);
      }
    }
    System.out.printf("longest %d ms, same %d, refused %d%n", longest / 1_000_000, same, refused);
  }

  private RunBuilder run(Path place) {
    return TrainingRun.builder()
        .task(new Pretraining())
        .tokenizer(tokenizer)
        .model(ModelConfig.of(16, 1, 1, 1, 280, 32))
        .rows(rows)
        .validation(0.2)
        .settings(s -> s.epochs(2).batchSize(4).maxUpdates(UPDATES).saveEvery(2).validateEvery(3))
        .threads(1)
        .cache(place.resolve("cache"))
        .folder(place.resolve("run"));
  }

  /** Stops half-way. */
  private void interrupt(Path place) throws IOException {
    AtomicInteger updates = new AtomicInteger();
    try (TrainingRun run = run(place).open()) {
      run.train(
          () -> updates.get() >= UPDATES / 2,
          new TrainingListener() {
            @Override
            public void updated(Update update) {
              updates.incrementAndGet();
            }
          });
    }
  }

  /** What tells the weights at its end; nothing if it is refused, which must be in a sentence. */
  private String end(Path place) throws IOException {
    try (TrainingRun run = run(place).open()) {
      run.train();
    } catch (IOException | IllegalArgumentException | OnnxRuntimeException e) {
      String message = String.valueOf(e.getMessage());
      System.out.println("  " + message);
      if (e instanceof IllegalArgumentException && !(e instanceof Mistake)
          || !message.endsWith(".")
          || message.length() > 1500
          || message.contains("\0")
          || message.contains("Exception")) {
        throw new AssertionError("not a sentence: " + message, e);
      }
      return "";
    }
    return Sha256.of(place.resolve("run").resolve(ModelFolder.WEIGHTS));
  }

  private static Path copy(Path from, Path to) throws IOException {
    Folders.delete(to);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
    return to;
  }

  private static String damage(Path place, SplittableRandom random) throws IOException {
    Path file;
    try (Stream<Path> files = Files.walk(place)) {
      List<Path> all = files.filter(Files::isRegularFile).sorted().toList();
      file = all.get(random.nextInt(all.size()));
    }
    String name = place.relativize(file).toString();
    byte[] bytes = Files.readAllBytes(file);
    if (bytes.length == 0) {
      Files.writeString(file, "noise");
      return name + " no longer empty";
    }
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(7)) {
      case 0 -> {
        Files.write(file, Arrays.copyOf(bytes, at));
        return name + " cut to " + at;
      }
      case 1 -> {
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        Files.write(file, bytes);
        return name + " with a bit flipped at " + at;
      }
      case 2 -> {
        Files.delete(file);
        return name + " missing";
      }
      case 3 -> {
        for (int i = at; i < Math.min(bytes.length, at + 32); i++) {
          bytes[i] = (byte) random.nextInt();
        }
        Files.write(file, bytes);
        return name + " with noise at " + at;
      }
      case 4 -> {
        Files.write(file, append(bytes, random.nextBoolean() ? "{}" : "\0\0\0\0"));
        return name + " with more behind it";
      }
      case 5 -> {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        String twice = text.replaceFirst("(\"[a-z_]+\"\\s*:\\s*)(\\d+)", "$1$2, $1" + at);
        Files.write(file, twice.getBytes(StandardCharsets.ISO_8859_1));
        return name + " with a field twice";
      }
      default -> {
        for (int i = 0; i < bytes.length; i++) {
          int digit = (at + i) % bytes.length;
          if (bytes[digit] >= '0' && bytes[digit] <= '9') {
            bytes[digit] = (byte) ('0' + (bytes[digit] - '0' + 1 + random.nextInt(9)) % 10);
            Files.write(file, bytes);
            return name + " with another digit at " + digit;
          }
        }
        return name + " as it was";
      }
    }
  }

  private static byte[] append(byte[] bytes, String more) {
    byte[] longer = Arrays.copyOf(bytes, bytes.length + more.length());
    System.arraycopy(
        more.getBytes(StandardCharsets.ISO_8859_1), 0, longer, bytes.length, more.length());
    return longer;
  }
}
