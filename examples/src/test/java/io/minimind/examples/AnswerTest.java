package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Answers of a model as a file to learn from, by the real command. */
@Timeout(300)
class AnswerTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path shared;
  private static Path model;
  private static Path questions;

  @TempDir Path folder;

  /** A model that has learnt to answer shortly and to stop. */
  @BeforeAll
  static void train() throws IOException {
    Path cache = shared.resolve("cache");
    Path base = shared.resolve("base");
    model = shared.resolve("model");
    Commands.Result fine = new Commands.Result(0, "");
    assertEquals(fine, Commands.run(Commands.pretrain(base, cache, "--epochs=1")));
    Path chats = shared.resolve("chats.jsonl");
    List<String> rows = new ArrayList<>();
    questions = shared.resolve("questions.jsonl");
    List<String> asked = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      rows.add(row("问" + i % 8, "好"));
      asked.add(row("问" + i % 8, "旧"));
    }
    asked.add(5, "{\"messages\": 3}");
    asked.add(9, row("问".repeat(400), "旧"));
    Files.write(chats, rows);
    Files.write(questions, asked);
    assertEquals(
        fine,
        Commands.run(
            Commands.sft(
                base, model, cache, "--data=" + chats, "--epochs=12", "--learning-rate=0.01")));
  }

  private static String row(String question, String answer) {
    return "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}"
        .formatted(question, answer);
  }

  private static String[] answer(Path to, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "answer",
                "--model=" + model,
                "--data=" + questions,
                "--to=" + to,
                "--max-new-tokens=20",
                "--batch-size=3"));
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  @Test
  void answersAreAFileToLearnFromAndTheSameWhereverItStopped() throws Exception {
    Path whole = folder.resolve("made").resolve("whole.jsonl");
    assertEquals(new Commands.Result(0, ""), Commands.run(answer(whole)));
    List<String> lines = Files.readAllLines(whole);
    assertTrue(lines.size() > 20, "answers: " + lines.size());
    for (String line : lines) {
      JsonNode messages = JSON.readTree(line).get("messages");
      assertEquals(2, messages.size());
      assertTrue(messages.get(0).get("content").textValue().startsWith("问"), line);
      assertFalse(messages.get(1).get("content").textValue().contains("旧"), line);
    }
    try (Stream<Path> files = Files.list(whole.getParent())) {
      assertEquals(List.of(whole), files.toList(), "nothing is left over");
    }
    // What a process leaves that is killed while it writes a line.
    Path again = folder.resolve("again.jsonl");
    Path partial = folder.resolve("again.jsonl.partial");
    try (CommandProcess running = CommandProcess.start(shared, answer(again))) {
      while (running.process.isAlive() && !Files.exists(folder.resolve("again.jsonl.begun"))) {
        Thread.yield();
      }
      running.kill();
    }
    byte[] bytes = Files.readAllBytes(whole);
    Files.write(partial, Arrays.copyOf(bytes, bytes.length / 2));
    assertEquals(new Commands.Result(0, ""), Commands.run(answer(again)));
    assertArrayEquals(bytes, Files.readAllBytes(again));
    Path out = folder.resolve("student");
    assertEquals(
        new Commands.Result(0, ""),
        Commands.run(
            Commands.sft(
                model, out, folder.resolve("cache"), "--data=" + whole, "--max-updates=1")));
  }

  @Test
  void mistakesAreSentences() throws IOException {
    Path to = folder.resolve("a.jsonl");
    Path partial = folder.resolve("a.jsonl.partial");
    Path begun = folder.resolve("a.jsonl.begun");
    Files.writeString(partial, "{\"row\":1}\n");
    assertRefused("begun with another model", answer(to));
    Files.delete(partial);
    Files.deleteIfExists(begun);
    Files.writeString(to, "");
    assertRefused("is there already", answer(to));
    assertRefused(
        "There is no", answer(folder.resolve("b.jsonl"), "--top-k=3", "--model=" + folder + "/x"));
  }

  private static void assertRefused(String part, String... args) {
    List<String> all = new ArrayList<>(Arrays.asList(args));
    if (all.stream().filter(arg -> arg.startsWith("--model=")).count() > 1) {
      all.remove("--model=" + model);
    }
    Commands.Result result = Commands.run(all.toArray(String[]::new));
    assertEquals(1, result.status(), result.err());
    assertTrue(result.err().contains(part), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
  }
}
