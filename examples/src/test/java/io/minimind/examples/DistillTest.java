package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.files.Folders;
import io.minimind.weights.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A student that learns from a teacher of another size, by the real command. {@code
 * -Dminimind.kills=10} kills runs ten times.
 */
@Timeout(300)
class DistillTest {

  @TempDir static Path shared;
  private static Path cache;
  private static Path teacher;
  private static Path student;
  private static Path chats;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    cache = shared.resolve("cache");
    teacher = shared.resolve("teacher");
    student = shared.resolve("student");
    Commands.Result fine = new Commands.Result(0, "");
    assertEquals(
        fine,
        Commands.run(
            Commands.pretrain(
                teacher, cache, "--epochs=1", "--hidden-size=48", "--heads=3", "--experts=3")));
    assertEquals(fine, Commands.run(Commands.pretrain(student, cache, "--max-updates=1")));
    chats = shared.resolve("chats.csv");
    try (Stream<String> lines = Files.lines(Commands.CHATS)) {
      Files.write(chats, lines.limit(61).toList());
    }
  }

  /** Arguments of a new run; those given last win. */
  private static String[] distill(Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("distill", "--out=" + out));
    List<String> options =
        List.of(
            "--cache=" + cache,
            "--data=" + chats,
            "--teacher=" + teacher,
            "--from=" + student,
            "--batch-size=8",
            "--epochs=3",
            "--learning-rate=0.005",
            "--validation-fraction=0.2",
            "--validate-every=5",
            "--save-every=4",
            "--log-every=1",
            "--threads=2");
    for (String option : options) {
      String name = option.substring(0, option.indexOf('=') + 1);
      if (Arrays.stream(more).noneMatch(given -> given.startsWith(name))) {
        args.add(option);
      }
    }
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private static byte[] weights(Path out) throws IOException {
    return Files.readAllBytes(out.resolve("model.safetensors"));
  }

  private static double last(Path out, String field) throws IOException {
    List<JsonNode> metrics = new ArrayList<>(PretrainProcessTest.metrics(out));
    metrics.removeIf(metric -> !metric.has("validation_loss"));
    return metrics.get(metrics.size() - 1).required(field).doubleValue();
  }

  private static double first(Path out, String field) throws IOException {
    return PretrainProcessTest.metrics(out).get(0).required(field).doubleValue();
  }

  @ParameterizedTest
  @CsvSource({"0, 2", "16, 1"})
  void theStudentComesToThinkAsItsTeacherAndGoesOnToTheBitWhenKilled(int top, int kills)
      throws Exception {
    Path whole = folder.resolve("whole");
    String option = "--teacher-top=" + top;
    assertEquals(new Commands.Result(0, ""), Commands.run(distill(whole, option)));
    assertTrue(last(whole, "divergence") < 0.8 * first(whole, "divergence"));
    assertTrue(last(whole, "cross_entropy") < first(whole, "cross_entropy"));
    assertEquals(
        SafetensorsFile.open(student.resolve("model.safetensors")).names(),
        SafetensorsFile.open(whole.resolve("model.safetensors")).names(),
        "the model has no teacher in it");
    Path killed = folder.resolve("killed");
    Random random = new Random(top);
    String[] command = distill(killed, option);
    for (int kill = 0; kill < Integer.getInteger("minimind.kills", kills); kill++) {
      try (CommandProcess running = CommandProcess.start(folder, command)) {
        running.awaitLines("Epoch:", 1 + random.nextInt(3));
        running.kill();
      }
      command = Commands.resume("distill", killed, cache);
    }
    try (CommandProcess running = CommandProcess.start(folder, command)) {
      List<String> lines = running.remainingLines();
      assertEquals(0, running.exitStatus(), running.err());
      assertTrue(lines.contains("Talk to it: ./minimind chat --model " + killed));
    }
    assertArrayEquals(weights(whole), weights(killed));
    assertEquals(PretrainProcessTest.metrics(whole), PretrainProcessTest.metrics(killed));
  }

  @Test
  void aRunGoesOnWithoutTheTeachersFolder() throws IOException {
    Path moved = folder.resolve("moved");
    Commands.copy(teacher, moved);
    Path out = folder.resolve("out");
    assertEquals(new Commands.Result(0, ""), Commands.run(distill(out, "--teacher=" + moved)));
    byte[] end = weights(out);
    Folders.delete(moved);
    Folders.delete(Commands.latest(out));
    assertEquals(new Commands.Result(0, ""), Commands.run(Commands.resume("distill", out, cache)));
    assertArrayEquals(end, weights(out));
  }

  @Test
  void adaptersLearnFromATeacherToo() throws IOException {
    Path out = folder.resolve("out");
    assertEquals(new Commands.Result(0, ""), Commands.run(distill(out, "--lora-rank=4")));
    assertTrue(last(out, "divergence") < first(out, "divergence"));
    assertTrue(Files.exists(out.resolve("adapter.safetensors")));
  }

  @Test
  void whatTheTeacherThinksIsAskedOnce() throws IOException {
    Path own = folder.resolve("cache");
    assertEquals(
        0,
        Commands.run(distill(folder.resolve("a"), "--teacher-top=8", "--cache=" + own)).status());
    List<Path> files = teacherFiles(own);
    assertEquals(1, files.size(), files.toString());
    Object time = Files.getLastModifiedTime(files.get(0));
    assertEquals(
        0,
        Commands.run(
                distill(
                    folder.resolve("b"), "--teacher-top=8", "--cache=" + own, "--temperature=2"))
            .status());
    assertEquals(
        time, Files.getLastModifiedTime(files.get(0)), "another temperature needs no more");
    byte[] bytes = Files.readAllBytes(files.get(0));
    // What a process leaves that was killed while it asked: some samples have no place yet.
    Files.delete(files.get(0));
    byte[] part = bytes.clone();
    Arrays.fill(part, 5 * Long.BYTES, 30 * Long.BYTES, (byte) 0);
    Files.write(Path.of(files.get(0) + ".unfinished"), part);
    Path again = folder.resolve("again");
    assertEquals(0, Commands.run(distill(again, "--teacher-top=8", "--cache=" + own)).status());
    assertArrayEquals(weights(folder.resolve("a")), weights(again));
    assertTrue(Files.size(files.get(0)) > bytes.length, "only those were asked for again");
    bytes[bytes.length - 20] ^= 1;
    Files.write(files.get(0), bytes);
    Commands.Result damaged =
        Commands.run(distill(folder.resolve("c"), "--teacher-top=8", "--cache=" + own));
    assertEquals(1, damaged.status());
    assertTrue(damaged.err().contains("delete that file"), damaged.err());
  }

  private static List<Path> teacherFiles(Path cache) throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      return files.filter(file -> file.getFileName().toString().startsWith("teacher-")).toList();
    }
  }

  @Test
  void mistakesAreSentences() throws IOException {
    assertMistake("needs --data and --from", "distill", "--data=" + chats);
    assertMistake(
        "needs --teacher",
        "distill",
        "--data=" + chats,
        "--from=" + student,
        "--out=" + folder.resolve("e"));
    assertMistake("Alpha must be", distill(folder.resolve("a"), "--alpha=1"));
    assertMistake("0 to ", distill(folder.resolve("b"), "--teacher-top=100000"));
    assertMistake("config.json", distill(folder.resolve("c"), "--teacher=" + folder));
    Path other = folder.resolve("other");
    Commands.copy(teacher, other);
    Path tokens = other.resolve("tokenizer.json");
    Files.writeString(tokens, Files.readString(tokens).replaceFirst("\"Ġt\"", "\"Ġtt\""));
    Commands.Result result = Commands.run(distill(folder.resolve("d"), "--teacher=" + other));
    assertFalse(result.status() == 0, "a teacher with other tokens");
  }

  private static void assertMistake(String part, String... args) {
    Commands.Result result = Commands.run(args);
    assertTrue(result.status() != 0 && result.err().contains(part), result.toString());
    assertFalse(result.err().contains("\tat "), result.err());
  }
}
