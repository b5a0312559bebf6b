package io.minimind.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.infer.Chat;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Generation;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole course by its commands, each stage on what the one before wrote. */
@Timeout(300)
class CourseTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NAME = "MiniMind";

  @TempDir Path folder;

  @Test
  void aModelThatDidNotExistAnswersInTheEnd() throws IOException {
    minimind(
        "tokenizer", "train", "--data", Commands.CORPUS.toString(), "--vocab-size=600", "--out");
    minimind(
        "pretrain",
        "--cache=" + folder.resolve("cache"),
        "--data=" + Commands.CORPUS,
        "--tokenizer=" + folder.resolve("tokenizer"),
        "--hidden-size=96",
        "--layers=2",
        "--heads=4",
        "--key-value-heads=2",
        "--max-length=128",
        "--batch-size=8",
        "--epochs=3",
        "--learning-rate=3e-3",
        "--out");
    Path chats = folder.resolve("chats.jsonl");
    Files.write(chats, conversations(60));
    minimind(
        "sft",
        "--cache=" + folder.resolve("cache"),
        "--data=" + chats,
        "--from=" + folder.resolve("pretrain"),
        "--loss=all-turns",
        "--batch-size=10",
        "--epochs=30",
        "--learning-rate=3e-3",
        "--out");
    Path pairs = folder.resolve("pairs.jsonl");
    Files.write(pairs, preferences(40));
    minimind(
        "dpo",
        "--cache=" + folder.resolve("cache"),
        "--data=" + pairs,
        "--from=" + folder.resolve("sft"),
        "--validation-fraction=0.25",
        "--batch-size=5",
        "--epochs=2",
        "--learning-rate=5e-5",
        "--validate-every=6",
        "--out");
    minimind("export", "--model=" + folder.resolve("dpo"), "--quantize=int8", "--out");

    assertTrue(heldOutAccuracy(folder.resolve("dpo/metrics.jsonl")) > 0.9);
    assertEquals(List.of(NAME, NAME), answers(folder.resolve("sft")));
    assertEquals(List.of(NAME, NAME), answers(folder.resolve("dpo")));
    assertEquals(List.of(NAME, NAME), answers(folder.resolve("export")));
  }

  /** Runs a command whose last argument is the option of the folder that it writes. */
  private void minimind(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = folder.resolve(arguments[0]).toString();
    assertEquals(new Commands.Result(0, ""), Commands.run(all));
  }

  /** Two turns each: a greeting, and the question that matters in one of two forms. */
  private static List<String> conversations(int count) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String question = i % 2 == 0 ? "你是谁？" : "你叫什么名字？";
      lines.add(
          JSON.writeValueAsString(
              JSON.createObjectNode()
                  .set(
                      "messages",
                      JSON.createArrayNode()
                          .add(message("user", "第" + i + "天好。"))
                          .add(message("assistant", "你好。"))
                          .add(message("user", question))
                          .add(message("assistant", NAME)))));
    }
    return lines;
  }

  private static JsonNode message(String role, String content) {
    return JSON.createObjectNode().put("role", role).put("content", content);
  }

  private static List<String> preferences(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                JSON.createObjectNode()
                    .put("prompt", "第" + i + "天好。")
                    .put("chosen", "你好。")
                    .put("rejected", "不好。")
                    .toString())
        .toList();
  }

  private static double heldOutAccuracy(Path metrics) throws IOException {
    double last = 0;
    for (String line : Files.readAllLines(metrics)) {
      JsonNode metric = JSON.readTree(line);
      if (metric.has("validation_loss")) {
        last = metric.required("reward_accuracy").doubleValue();
      }
    }
    return last;
  }

  /** The answers to both forms of the question, each of which the model must end by itself. */
  private static List<String> answers(Path model) throws IOException {
    List<String> answers = new ArrayList<>();
    ChatOptions greedy = ChatOptions.defaults().withGeneration(GenerationOptions.greedy());
    try (LanguageModel loaded = LanguageModel.load(model)) {
      for (String question : List.of("你是谁？", "你叫什么名字？")) {
        try (Chat chat = loaded.chat(greedy)) {
          chat.send("第99天好。");
          Generation answer = chat.send(question).generation();
          assertEquals(FinishReason.END_OF_TEXT, answer.finishReason());
          answers.add(answer.text().strip());
        }
      }
    }
    return answers;
  }
}
